import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '@sluice/domain';
import { openBroker } from './open-broker.ts';
import { readWithJava } from './java-reader.ts';
import { freePorts } from './ports.ts';

describe('the ladder of brokers', () => {
  let stateDir: string;
  const { PATH, JAVA_HOME, KAFKA_BROKERS } = process.env;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'sluice-ladder-'));
    delete process.env['KAFKA_BROKERS'];
    delete process.env['JAVA_HOME'];
    process.env['PATH'] = stateDir;
    process.env['DOCKER_HOST'] = `unix://${stateDir}/none.sock`;
  });
  afterEach(() => {
    process.env['PATH'] = PATH;
    delete process.env['DOCKER_HOST'];
    if (JAVA_HOME !== undefined) process.env['JAVA_HOME'] = JAVA_HOME;
    if (KAFKA_BROKERS !== undefined) process.env['KAFKA_BROKERS'] = KAFKA_BROKERS;
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('ends in memory on a bare machine, and says why each better rung was not taken', async () => {
    const steps: string[] = [];
    const broker = await openBroker({ stateDir, onStep: (text) => steps.push(text) });
    expect(broker).toMatchObject({ kind: 'memory', brokers: undefined });
    expect(broker.why.map((reason) => reason.split(':')[0])).toEqual(['named', 'jvm', 'container']);
    expect(broker.why[1]).toContain('no Java found');
    expect(steps.at(-1)).toContain('Broker: memory');
    await broker.close();
  });

  it('fails when the rung that was asked for cannot be had, rather than taking another', async () => {
    await expect(openBroker({ stateDir, choice: 'jvm' })).rejects.toMatchObject({ code: 'SLUICE_BROKER_FAILED' });
    await expect(openBroker({ stateDir, choice: 'container' })).rejects.toMatchObject({ code: 'SLUICE_BROKER_FAILED' });
  });

  it('fails when nobody answers at the address named, by option or environment', async () => {
    const [port] = await freePorts(1);
    const unreachable = { code: 'SLUICE_BROKER_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') };
    await expect(openBroker({ stateDir, brokers: `127.0.0.1:${port}` })).rejects.toMatchObject(unreachable);
    process.env['KAFKA_BROKERS'] = `127.0.0.1:${port}`;
    await expect(openBroker({ stateDir })).rejects.toBeInstanceOf(SluiceError);
  });

  it('lets a chosen rung win over the environment', async () => {
    process.env['KAFKA_BROKERS'] = '127.0.0.1:1';
    expect((await openBroker({ stateDir, choice: 'memory' })).kind).toBe('memory');
  });

  it('has no second client in memory, and says so', async () => {
    const handle = await openBroker({ stateDir, choice: 'memory' });
    await expect(readWithJava({ handle, topic: 't' })).rejects.toMatchObject({ code: 'SLUICE_JUDGE_FAILED' });
  });
});

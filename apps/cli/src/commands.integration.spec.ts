import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { openBroker, type BrokerHandle } from '@sluice/broker';
import { kafkaRun } from './system/testing/kafka-run.ts';

jest.setTimeout(120_000);

let broker: BrokerHandle;
beforeAll(async () => {
  if (process.env['KAFKA_BROKERS'] === undefined) throw new Error('KAFKA_BROKERS is not set: run this suite through `npm test`');
  broker = await openBroker({ brokers: process.env['KAFKA_BROKERS'] });
});
afterAll(() => broker.close());

/** Runs a command of `sluice` as its users do: a process of its own. */
function sluice(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', join(__dirname, 'main.ts'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('what sluice reads from the topics of a real broker', () => {
  it('explain says in words why an event was served by its tier, replay makes every decision again', async () => {
    await using run = await kafkaRun({ broker, events: 400, poison: 0, rate: 400 });
    await run.stream.run();
    await run.collector.until(() => run.collector.answered >= 400, 60_000);
    const where = ['--brokers', broker.brokers!, '--flow', run.files.file];
    const prediction = [...run.collector.seen.predictions.values()].at(-1)!;
    const told = sluice('explain', prediction.id, ...where);
    expect(told).toMatchObject({ status: 0, stderr: '' });
    expect(told.stdout).toContain(`Event ${prediction.id}, decided under policy ${prediction.policyVersion}`);
    expect(told.stdout).toContain(`Served: '${prediction.label}' by ${prediction.model}@${prediction.version}`);
    const data = JSON.parse(sluice('explain', prediction.id, ...where, '--json').stdout) as { steps: readonly { tier: string }[] };
    expect(data.steps.map(({ tier }) => tier)).toEqual(prediction.trail.map(({ tier }) => tier));
    const unknown = sluice('explain', 'no-such-id', ...where);
    expect(unknown.status).not.toBe(0);
    expect(unknown.stderr).toMatch(/SLUICE_DATA_MISSING.*no-such-id/);
    const again = sluice('replay', ...where);
    expect(again).toMatchObject({ status: 0, stderr: '' });
    expect(again.stdout).toMatch(/decisions of 400 predictions, .*: all came out the same, bit for bit/);
  });
});

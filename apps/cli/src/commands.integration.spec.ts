import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import avro from 'avsc';
import { openBroker, type BrokerHandle } from '@sluice/broker';
import { singleObjectHeader, topicsOf } from '@sluice/contracts';
import { openDataset } from '@sluice/demo';
import { kafkaRun, type KafkaRun } from './system/testing/kafka-run.ts';

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

  it('warm-start teaches a sample before the first event, and replay folds it too', async () => {
    await using run = await kafkaRun({ broker, events: 200, poison: 0, rate: 200 });
    const where = ['--brokers', broker.brokers!, '--flow', run.files.file];
    const sample = join(dirname(run.files.file), 'sample.jsonl');
    writeFileSync(sample, latestMails(run, 400).join('\n'));
    expect(sluice('warm-start', '--sample', sample, ...where)).toMatchObject({
      ...{ status: 0, stderr: '' },
      stdout: `400 labelled requests for flow ${run.files.flow.flow}: no warm-up is left\n`,
    });
    await run.collector.until(() => run.collector.seen.latestPolicy?.version === 400, 60_000);
    await run.stream.run();
    await run.collector.until(() => run.collector.answered >= 200, 60_000);
    expect([...run.collector.seen.predictions.values()].some(({ tier }) => tier !== 'heavy')).toBe(true);
    expect(sluice('replay', ...where).stdout).toMatch(/decisions of 200 predictions, .*: all came out the same, bit for bit/);
  });

  it('warm-start refuses a line that is no labelled request, and publishes nothing', async () => {
    await using run = await kafkaRun({ broker, events: 1, poison: 0, rate: 1 });
    const sample = join(dirname(run.files.file), 'sample.jsonl');
    writeFileSync(sample, [...latestMails(run, 1), '{"label": "neither", "request": {}}'].join('\n'));
    const refused = sluice('warm-start', '--sample', sample, '--brokers', broker.brokers!, '--flow', run.files.file);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/SLUICE_DATA_MISSING.*Line 2 of .*there is no label neither/s);
    expect(await run.bus.readAll([topicsOf(run.files.flow.flow).examples])).toEqual([]);
  });
});

/** The last messages of the corpus as lines of a labelled sample. */
function latestMails({ files: { flow, schemas } }: KafkaRun, count: number): string[] {
  const { stream } = openDataset({ flow: { ...flow, flow: 'mail' }, schemas });
  const type = avro.Type.forSchema(schemas[0] as avro.Schema);
  return Array.from({ length: count }, (_, i) => stream.count - count + i).map((index) => {
    const request: unknown = JSON.parse(type.toString(type.fromBuffer(stream.value(index).subarray(singleObjectHeader))));
    return JSON.stringify({ label: flow.labels[stream.label(index)], request });
  });
}

/**
 * The router's pipe against bare copies and against Kafka Streams: throughput, CPU and memory over the same topic on the same
 * broker, in interleaved runs, then the latency of one hop under paced load. Prints tables; asserts nothing.
 *
 * Run: npm run bench -- router [--brokers HOST:PORT] [--events 300000] [--rounds 5] [--rates 200,2000,10000] [--hop-rounds 3] [--scale 6,24,96] [--out FILE]
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { openBroker } from '@sluice/broker';
import { topicsOf } from '@sluice/contracts';
import { kafkaBus } from '@sluice/streaming';
import { Kafka, logLevel } from 'kafkajs-stock';
import { optionsOf } from './options.ts';
import { Contest } from './router/contest.ts';
import { measureHop, type HopFigures } from './router/hop.ts';
import type { Job, Outcome } from './router/job.ts';
import { runTogether } from './router/together.ts';
import { eventValues } from './router/workload.ts';
import { median } from './statistics.ts';

const options = optionsOf('router', {
  brokers: { type: 'string' },
  events: { type: 'string', default: '300000' },
  rounds: { type: 'string', default: '5' },
  slice: { type: 'string', default: '500' },
  rates: { type: 'string', default: '200,2000,10000' },
  'hop-seconds': { type: 'string', default: '10' },
  'hop-rounds': { type: 'string', default: '3' },
  contestants: { type: 'string', default: 'stock,pipe-eos,pipe-alo,streams-1,streams-2,platformatic' },
  scale: { type: 'string', default: '6,24,96' },
  processes: { type: 'string', default: '1,2,4' },
  out: { type: 'string' },
});
const [events, rounds, slice] = [Number(options.events), Number(options.rounds), Number(options.slice)];
const hopRounds = Number(options['hop-rounds']);
const usualPartitions = 6;
const input = 'bench.requests';

const words: Readonly<Record<string, string>> = {
  stock: 'bare copy, stock kafkajs, exactly once',
  'pipe-eos': 'Sluice router, exactly once',
  'pipe-alo': 'Sluice router, at least once',
  'streams-1': 'Kafka Streams router, exactly_once_v2, 1 thread',
  'streams-2': 'Kafka Streams router, exactly_once_v2, 2 threads',
  platformatic: 'bare copy, @platformatic/kafka, exactly once',
};

const contest = new Contest();
const out: string[] = [];
const values = eventValues(1_024);
const broker = await openBroker({
  ...(options.brokers ? { brokers: options.brokers } : { choice: 'jvm' }),
  onStep: (text) => console.error(text),
});
const brokers = broker.brokers!;
const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
await admin.connect();
try {
  await main();
} finally {
  await admin.disconnect();
  await broker.close();
}

async function main(): Promise<void> {
  const { model } = cpus()[0]!;
  say(
    `${cpus().length} x ${model}, ${Math.round(totalmem() / 2 ** 30)} GB, load ${loadavg()[0]!.toFixed(1)} at start, Node ${process.versions.node}, broker ${broker.kind} ${broker.version} on the same machine`,
  );
  say(
    `${events} events of ${values[0]!.length} bytes, ${usualPartitions} partitions, slices of ${slice}, medians of ${rounds} interleaved runs (lowest - highest)`,
  );
  const asked = options.contestants.split(',');
  const taking = asked.filter((one) => {
    const why = contest.whyNot(one);
    if (why !== undefined) say(`left out: ${one}: ${why}`);
    return why === undefined;
  });
  if (events > 0 && rounds > 0) await race(taking);
  const rates = options.rates.split(',').filter(Boolean).map(Number);
  const hops = taking.filter((one) => one === 'stock' || one === 'pipe-eos' || one === 'streams-1');
  if (rates.length > 0) await hop(hops, rates);
  const widths = options.scale.split(',').filter(Boolean).map(Number);
  if (widths.length > 0) await scale(widths, options.processes.split(',').map(Number));
  if (options.out !== undefined) await writeFile(options.out, out.join('\n') + '\n');
}

async function race(contestants: readonly string[]): Promise<void> {
  await fill(input);
  const outcomes = new Map(contestants.map((one) => [one, [] as Outcome[]]));
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      const job = { contestant, brokers, input, run: `${contestant}-${round}`, events, slice };
      try {
        const outcome = await inFreshTopics(job, () => contest.run(job));
        outcomes.get(contestant)!.push(outcome);
        console.error(
          `round ${round + 1}, ${contestant}: ${Math.round(events / (outcome.ms / 1_000))} events/s, ${outcome.cpuMicros.toFixed(1)} us`,
        );
      } catch (thrown) {
        console.error(`round ${round + 1}, ${contestant}: ${String((thrown as Error).message)}`);
      }
    }
  }
  const reference = speedOf(outcomes.get('stock') ?? []);
  say('', '| contestant | events/s | to stock copy | CPU us per event | RSS MB | runs |', '| --- | --- | --- | --- | --- | --- |');
  for (const [contestant, of] of outcomes) {
    const speeds = of.map(speed);
    const range = of.length === 0 ? '' : ` (${thousands(Math.min(...speeds))} - ${thousands(Math.max(...speeds))})`;
    const cells = [
      `${thousands(speedOf(of))}${range}`,
      (speedOf(of) / reference).toFixed(2),
      median(of.map((one) => one.cpuMicros)).toFixed(1),
    ];
    say(`| ${words[contestant]} | ${cells.join(' | ')} | ${Math.round(median(of.map((one) => one.maxRssMb)))} | ${of.length} |`);
  }
  const [eos, alo] = [speedOf(outcomes.get('pipe-eos') ?? []), speedOf(outcomes.get('pipe-alo') ?? [])];
  if (eos > 0 && alo > 0) say('', `Exactly once against at least once: ${((1 - eos / alo) * 100).toFixed(1)} % less.`);
}

/** How the exactly-once pipe grows with partitions and processes. */
async function scale(widths: readonly number[], counts: readonly number[]): Promise<void> {
  say('', 'Sluice router, exactly once, by partitions and processes (one run each, all on this machine):');
  say('', '| partitions | processes | events/s | CPU us per event | RSS MB, largest |', '| --- | --- | --- | --- | --- |');
  for (const width of widths) {
    const topic = `scale-${width}.requests`;
    await fill(topic, width);
    const bus = openBus();
    for (const processes of counts) {
      const job = { contestant: 'pipe-eos', brokers, input: topic, run: `scale-${width}-${processes}`, events: null, slice };
      const { perSecond, cpuMicros, maxRssMb } = await inFreshTopics(job, () => runTogether({ contest, job, processes, bus }), width);
      say(`| ${width} | ${processes} | ${thousands(perSecond)} | ${cpuMicros.toFixed(1)} | ${Math.round(maxRssMb)} |`);
    }
    await bus.close();
    await admin.deleteTopics({ topics: [topic] });
  }
}

async function hop(contestants: readonly string[], rates: readonly number[]): Promise<void> {
  say(
    '',
    `Latency of one hop, milliseconds from the time an event was due to its reading (read_committed), medians of ${hopRounds} interleaved runs:`,
  );
  say('', '| contestant | events/s | p50 | p90 | p99 (lowest - highest) | missing |', '| --- | --- | --- | --- | --- | --- |');
  for (const perSecond of rates) {
    const figures = new Map(contestants.map((one) => [one, [] as HopFigures[]]));
    for (let round = 0; round < hopRounds; round++) {
      for (const contestant of contestants) figures.get(contestant)!.push(await oneHop(contestant, perSecond, round));
    }
    for (const [contestant, of] of figures) {
      const [p50, p90, p99] = (['p50', 'p90', 'p99'] as const).map((name) => median(of.map((one) => one[name])).toFixed(1));
      const slowest = of.map((one) => one.p99);
      const range = `(${Math.min(...slowest).toFixed(1)} - ${Math.max(...slowest).toFixed(1)})`;
      const missing = of.reduce((sum, one) => sum + one.missing, 0);
      say(`| ${words[contestant]} | ${perSecond} | ${p50} | ${p90} | ${p99} ${range} | ${missing} |`);
    }
  }
}

async function oneHop(contestant: string, perSecond: number, round: number): Promise<HopFigures> {
  const run = `hop-${contestant}-${perSecond}-${round}`;
  const fresh = `${run}.requests`;
  await create([fresh]);
  const job = { contestant, brokers, input: fresh, run, events: null, slice };
  const bus = openBus();
  const spec = { bus, contest, job, values, perSecond, seconds: Number(options['hop-seconds']) };
  const figures = await inFreshTopics(job, () => measureHop(spec)).finally(() => bus.close());
  await admin.deleteTopics({ topics: [fresh] });
  return figures;
}

/** Its connections remember topics, and fail once these are deleted: each part of the bench has its own. */
function openBus() {
  return kafkaBus({ brokers: brokers.split(','), clientId: 'bench' });
}

/** The topics that a run writes to exist only during it: the disk holds one run at a time. */
async function inFreshTopics<T>(job: Job, run: () => Promise<T>, width?: number): Promise<T> {
  const { model, deadLetters } = topicsOf(job.run);
  const topics = [...['fast', 'standard', 'heavy'].map(model), deadLetters];
  await create(topics, width);
  try {
    return await run();
  } finally {
    await admin.deleteTopics({ topics });
  }
}

async function create(topics: readonly string[], partitions = usualPartitions): Promise<void> {
  const bus = openBus();
  await bus.ensureTopics(topics.map((name) => ({ name, partitions }))).finally(() => bus.close());
}

async function fill(topic: string, partitions = usualPartitions): Promise<void> {
  await create([topic], partitions);
  const bus = openBus();
  const publisher = await bus.openPublisher();
  const size = 6_000;
  for (let from = 0; from < events; from += size) {
    await publisher.publish(
      Array.from({ length: Math.min(size, events - from) }, (_, at) => {
        const i = from + at;
        return {
          topic,
          partition: i % partitions,
          key: Buffer.from(`key-${i % 5_000}`),
          value: values[i % values.length]!,
          timestamp: Date.now(),
        };
      }),
    );
  }
  await bus.close();
}

function say(...lines: string[]): void {
  for (const line of lines) console.log(line);
  out.push(...lines);
}

function speed({ ms }: Outcome): number {
  return events / (ms / 1_000);
}

function speedOf(of: readonly Outcome[]): number {
  return median(of.map(speed));
}

function thousands(perSecond: number): string {
  return `${(perSecond / 1_000).toFixed(1)}k`;
}

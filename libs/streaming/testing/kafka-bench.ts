import { randomUUID } from 'node:crypto';
import { kafkaBus, type Bus, type InRecord, type PipeSpec, type Processor, type Publisher } from '../src/index.ts';

/** The broker of the integration suites. Unset is a failure: whoever runs them decides about skipping. */
export function brokersUnderTest(): string[] {
  const named = process.env['KAFKA_BROKERS'];
  if (!named) throw new Error('KAFKA_BROKERS is not set: integration suites need a real broker');
  return named.split(',');
}

/** Topics `in-`, `out-` and `dead-` with a random suffix, a bus and the moves that most tests make. */
export async function openKafkaBench(partitions = 3) {
  const brokers = brokersUnderTest();
  const suffix = randomUUID().slice(0, 8);
  const [input, output, dead] = [`in-${suffix}`, `out-${suffix}`, `dead-${suffix}`];
  const bus = kafkaBus({ brokers, clientId: 'integration' });
  await bus.ensureTopics([
    { name: input, partitions },
    { name: output, partitions },
    { name: dead, partitions: 1 },
  ]);
  const copy = (slice: readonly InRecord[]) => slice.map(({ key, value, ...from }) => ({ topic: output, key, value, from }));
  const pipeSpec = (processor: Processor, more: Partial<PipeSpec> = {}): PipeSpec => ({
    group: `copy-${suffix}`,
    topics: [input],
    delivery: 'exactly-once',
    maxSlice: 50,
    lingerMs: 2,
    deadLetters: dead,
    processor: () => processor,
    ...more,
  });
  return { brokers, suffix, input, output, dead, bus, copy, pipeSpec, ...publishing(bus, input) };
}

function publishing(bus: Bus, topic: string) {
  let publisher: Promise<Publisher> | undefined;
  /** Publishes the numbers from..to-1, keyed by themselves. */
  const publish = async (from: number, to: number) => {
    const numbers = Array.from({ length: to - from }, (_, i) => String(from + i));
    publisher ??= bus.openPublisher();
    await (await publisher).publish(numbers.map((text) => ({ topic, key: Buffer.from(`key ${text}`), value: Buffer.from(text) })));
  };
  return { publish };
}

export const numbersOf = (records: readonly InRecord[]): number[] => records.map(({ value }) => Number(value)).sort((a, b) => a - b);

export const upTo = (count: number): number[] => [...Array(count).keys()];

/** Waits until `enough` says so. @throws Error naming what was waited for */
export async function until(what: string, enough: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const giveUp = performance.now() + withinMs;
  while (!(await enough())) {
    if (performance.now() > giveUp) throw new Error(`waited ${withinMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

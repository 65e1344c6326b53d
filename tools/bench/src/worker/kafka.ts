import { join } from 'node:path';
import { openBroker } from '@sluice/broker';
import { topicsOf } from '@sluice/contracts';
import { makeModel } from '@sluice/serving/testing';
import { kafkaBus, type Bus } from '@sluice/streaming';
import { Contest } from '../router/contest.ts';
import type { Outcome } from '../router/job.ts';
import { requests } from './kafka-workload.ts';

export interface KafkaOptions {
  readonly events: number;
  readonly rounds: number;
  /** Most records in one transaction. */
  readonly slice: number;
}

/** Runs of one contestant, in the order of the rounds. */
export interface Contestant {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
}

const partitions = 6;
const input = 'bench.images';
const contestants = { stock: 'bare copy, stock kafkajs', worker: 'Sluice worker' } as const;

/** The worker against a bare transactional copy of the same topic, each in one process, in interleaved runs on one broker. */
export async function measureKafka(root: string, { events, rounds, slice }: KafkaOptions): Promise<Contestant[]> {
  const { dir, ...model } = await makeModel('crayfish', join(root, 'crayfish'));
  const broker = await openBroker({ choice: 'jvm', onStep: (text) => console.error(text) });
  const brokers = broker.brokers!;
  const bus = kafkaBus({ brokers: [brokers], clientId: 'bench' });
  const contest = new Contest();
  const outcomes = { stock: [] as Outcome[], worker: [] as Outcome[] };
  try {
    await bus.ensureTopics([{ name: input, partitions }]);
    await fill(bus, requests({ dir, ...model }, 1_024), events);
    for (let round = 0; round < rounds; round++) {
      for (const contestant of ['stock', 'worker'] as const) {
        const run = `${contestant}-${round}`;
        const topics = topicsOf(run);
        const names = [topics.predictions, topics.deadLetters, ...['fast', 'standard', 'heavy'].map(topics.model)];
        await bus.ensureTopics(names.map((name) => ({ name, partitions })));
        const outcome = await contest.run({ contestant, brokers, input, run, events, slice, model: dir });
        outcomes[contestant].push(outcome);
        console.error(`round ${round + 1}, ${contestant}: ${Math.round(events / (outcome.ms / 1_000))} events/s`);
      }
    }
  } finally {
    await bus.close();
    await broker.close();
  }
  return (['stock', 'worker'] as const).map((name) => ({ name: contestants[name], outcomes: outcomes[name] }));
}

async function fill(bus: Bus, values: ReturnType<typeof requests>, events: number): Promise<void> {
  const publisher = await bus.openPublisher();
  const size = 6_000;
  for (let from = 0; from < events; from += size) {
    await publisher.publish(
      Array.from({ length: Math.min(size, events - from) }, (_, at) => ({
        ...{ topic: input, partition: (from + at) % partitions, key: Buffer.from(`key-${(from + at) % 5_000}`), timestamp: Date.now() },
        ...values[(from + at) % values.length]!,
      })),
    );
  }
  await publisher.close();
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { topicSpecs } from '@sluice/contracts';
import type { Scene } from '../scene.ts';
import type { Cell } from './cell.ts';

/** Requests of each partition that are left when the others expire. */
const kept = 50;

/** What operators and retention do to topics, and what producers put into them. */
export const topicCells: readonly Cell[] = [
  {
    name: 'poison',
    says: 'every kind of malformed request, a tenth of the stream',
    brokers: 1,
    poison: 0.1,
    withinSeconds: 10,
  },
  {
    name: 'partition-growth',
    says: 'the request topic grows from two to four partitions under load',
    brokers: 1,
    withinSeconds: 25,
    disturb: growRequests,
  },
  {
    name: 'retention',
    says: 'requests expire unread, under a router that is stopped and goes on, and under one that is killed',
    brokers: 1,
    withinSeconds: 25,
    disturb: expireRequests,
    met: ({ expired }) => expired > 0,
  },
  {
    name: 'topic-deleted',
    says: 'the request topic is deleted, and made anew three seconds later',
    brokers: 1,
    withinSeconds: 60,
    disturb: deleteRequests,
  },
];

async function growRequests({ cluster, topics, at, fault, producer }: Scene): Promise<void> {
  await at(0.3);
  await cluster.tool('TopicCommand', ['--alter', '--topic', topics.requests, '--partitions', '4']);
  // A producer that has just looked: it writes to all four at once.
  await producer.renew();
  fault('four partitions');
}

async function expireRequests(scene: Scene): Promise<void> {
  await scene.at(0.2);
  scene.fleet.signal('router', 'SIGSTOP');
  await expire(scene);
  scene.fleet.signal('router', 'SIGCONT');
  scene.fault('requests expired, the router goes on');
  await scene.at(0.6);
  scene.fleet.signal('router', 'SIGSTOP');
  await expire(scene);
  scene.fleet.signal('router', 'SIGKILL');
  scene.fault('requests expired, the router is killed');
}

/** What retention does, at a moment that the cell chooses: the log now begins at these offsets. */
async function expire({ cluster, runDir, remember }: Scene): Promise<void> {
  await sleep(1_000);
  const ends = new Map<number, { readonly topic: string; readonly partition: number; readonly offset: number }>();
  for (const { topic, partition, offset } of await remember())
    if (offset > (ends.get(partition)?.offset ?? kept)) ends.set(partition, { topic, partition, offset });
  const partitions = [...ends.values()].map(({ offset, ...place }) => ({ ...place, offset: offset - kept }));
  const file = join(runDir, 'expired.json');
  await writeFile(file, JSON.stringify({ version: 1, partitions }));
  await cluster.tool('DeleteRecordsCommand', ['--offset-json-file', file]);
}

/** At a moment when all is answered: what was not read yet would be lost by whoever deleted it. */
async function deleteRequests({ cluster, bus, flow, topics, at, fault, producer, chapter }: Scene): Promise<void> {
  await at(0.4);
  await producer.hold();
  await chapter();
  await cluster.tool('TopicCommand', ['--delete', '--topic', topics.requests]);
  fault('request topic deleted');
  await sleep(3_000);
  await bus.ensureTopics(topicSpecs(flow));
  fault('request topic made anew');
  await producer.renew();
  producer.release();
}

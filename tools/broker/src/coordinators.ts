import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './kafka-api.ts';
import type { ApiName } from './kafka-api.ts';
import { coordinatorPartitions } from './settings.ts';
import { openWire, RequestBody } from './wire.ts';
import type { Wire } from './wire.ts';

/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, INVALID_REPLICATION_FACTOR, CONCURRENT_TRANSACTIONS: a broker that has just started. */
const notYet = new Set([14, 15, 16, 38, 51]);

/**
 * Takes a fresh broker through one throw-away transaction per partition of its transaction log and one group join per
 * partition of its offset log, so that both exist and are loaded. Without it the first clients meet
 * COORDINATOR_NOT_AVAILABLE, which kafkajs answers by crashing and restarting the consumer.
 */
export async function warmCoordinators(address: string, timeout = 30_000): Promise<void> {
  const until = Date.now() + timeout;
  const wire = await openWire(address, timeout);
  try {
    for (const name of namesForEveryPartition('sluice-warm', coordinatorPartitions)) {
      await joinAndLeave(wire, name, until);
      await emptyTransaction(wire, name, until);
    }
  } finally {
    wire.close();
  }
}

/** Names that Kafka's placement (Java's string hash, modulo) spreads over all partitions of a coordinator topic. */
export function namesForEveryPartition(prefix: string, partitions: number): string[] {
  const names = new Map<number, string>();
  for (let at = 0; names.size < partitions; at++) {
    const name = `${prefix}-${at}`;
    const partition = (javaHash(name) & 0x7fffffff) % partitions;
    if (!names.has(partition)) names.set(partition, name);
  }
  return [...names.values()];
}

function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

async function joinAndLeave(wire: Wire, group: string, until: number): Promise<void> {
  await findCoordinator(wire, { name: group, type: 0 }, until);
  const member = await untilReady(until, 'join a group', async () => {
    const body = new RequestBody().string(group).int32(10_000).int32(10_000).string('').string('consumer');
    body.array(['range'], (name) => body.string(name).bytes(Buffer.alloc(0)));
    const response = await ask(wire, 'joinGroup', body);
    response.int32();
    const error = response.int16();
    response.int32();
    response.string();
    response.string();
    return { error, value: response.string() ?? '' };
  });
  await ask(wire, 'leaveGroup', new RequestBody().string(group).string(member));
}

async function emptyTransaction(wire: Wire, name: string, until: number): Promise<void> {
  await findCoordinator(wire, { name, type: 1 }, until);
  const producer = await untilReady(until, 'get a producer id', async () => {
    const response = await ask(wire, 'initProducerId', new RequestBody().string(name).int32(10_000));
    response.int32();
    const error = response.int16();
    return { error, value: { id: response.int64(), epoch: response.int16() } };
  });
  const head = (): RequestBody => new RequestBody().string(name).int64(producer.id).int16(producer.epoch);
  await untilReady(until, 'add offsets to a transaction', () => askForError(wire, 'addOffsetsToTxn', head().string(name)));
  await untilReady(until, 'commit a transaction', () => askForError(wire, 'endTxn', head().int8(1)));
}

/** `type`: 0 for a group, 1 for a transactional id. */
async function findCoordinator(wire: Wire, { name, type }: { name: string; type: 0 | 1 }, until: number): Promise<void> {
  await untilReady(until, 'find a coordinator', () => askForError(wire, 'findCoordinator', new RequestBody().string(name).int8(type)));
}

async function askForError(wire: Wire, name: ApiName, body: RequestBody): Promise<{ error: number; value: undefined }> {
  const response = await ask(wire, name, body);
  response.int32();
  return { error: response.int16(), value: undefined };
}

async function untilReady<T>(until: number, what: string, attempt: () => Promise<{ error: number; value: T }>): Promise<T> {
  for (;;) {
    const { error, value } = await attempt();
    if (error === 0) return value;
    if (!notYet.has(error) || Date.now() > until) throw new Error(`the broker could not ${what}: error code ${error}`);
    await sleep(10);
  }
}

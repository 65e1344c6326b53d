import { openWire, RequestBody } from './wire.ts';
import type { ResponseBody, Wire } from './wire.ts';

/** Requests by name, each in the newest version that has no tagged fields. */
const api = {
  fetch: [1, 4],
  listOffsets: [2, 2],
  metadata: [3, 4],
  findCoordinator: [10, 2],
  joinGroup: [11, 2],
  leaveGroup: [13, 1],
  apiVersions: [18, 0],
  initProducerId: [22, 1],
  addOffsetsToTxn: [25, 1],
  endTxn: [26, 1],
} as const;

export type ApiName = keyof typeof api;

/** Sends one request and waits for its answer. */
export async function ask(wire: Wire, name: ApiName, body: RequestBody): Promise<ResponseBody> {
  const [key, version] = api[name];
  return await wire.send(key, version, body);
}

/** A connection to the first of the addresses that takes one. */
export async function openAny(brokers: string): Promise<Wire> {
  const addresses = brokers.split(',').map((text) => text.trim());
  let last: unknown;
  for (const address of addresses) {
    try {
      return await openWire(address);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** Whether something that speaks the Kafka protocol answers at one of the addresses; the reason when not. */
export async function reach(brokers: string, timeout = 5_000): Promise<string | undefined> {
  const faults: string[] = [];
  for (const address of brokers.split(',').map((text) => text.trim())) {
    try {
      const wire = await openWire(address, timeout);
      try {
        await ask(wire, 'apiVersions', new RequestBody());
        return undefined;
      } finally {
        wire.close();
      }
    } catch (error) {
      faults.push(error instanceof Error ? error.message || String(error) : String(error));
    }
  }
  return faults.join('; ');
}

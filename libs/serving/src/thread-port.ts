import { parentPort, workerData } from 'node:worker_threads';
import type { Placement } from './host.ts';
import type { FromThread, ThreadData, ToThread } from './protocol.ts';

/** An inference thread's end of the line to its lane. */
export interface ThreadPort {
  readonly placement: Placement;
  send(message: FromThread, moved?: ArrayBuffer[]): void;
  listen(heed: (message: ToThread) => void): void;
  close(): void;
}

/** What runs this code, a thread or a process of its own, and what it was started with. */
export async function openThreadPort(): Promise<{ readonly port: ThreadPort; readonly data: ThreadData }> {
  const port = parentPort;
  if (!port) return openProcessPort();
  return {
    data: workerData as ThreadData,
    port: {
      placement: 'thread',
      send: (message, moved = []) => port.postMessage(message, moved),
      listen: (heed) => port.on('message', heed),
      close: () => port.close(),
    },
  };
}

const nothing = new ArrayBuffer(0);

async function openProcessPort(): Promise<{ readonly port: ThreadPort; readonly data: ThreadData }> {
  // Ctrl-C reaches every process of a terminal: this one ends when the one that it works for does, which may have batches to finish.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit());
  const data = await new Promise<ThreadData>((resolve) => process.once('message', resolve as (message: unknown) => void));
  return {
    data,
    port: {
      placement: 'process',
      // The slab was copied on its way here, so it need not go back.
      send: (message) => void process.send!('slab' in message ? { ...message, slab: nothing } : message),
      listen: (heed) => process.on('message', heed),
      close: () => process.disconnect(),
    },
  };
}

import { parentPort, workerData } from 'node:worker_threads';
import type { Placement } from './host.ts';
import type { FromThread, ThreadData, ToThread } from './protocol.ts';
import { SlabReader, type Values } from './slab.ts';

/** A task, its rows wherever they lie. */
export type Order = { readonly kind: 'run'; readonly values: Values } | { readonly kind: 'stats' };

/** An inference thread's end of the line to its lane. */
export interface ThreadPort {
  readonly placement: Placement;
  send(message: FromThread): void;
  listen(heed: (order: Order) => void): void;
  close(): void;
}

/** What runs this code, a thread or a process of its own, and what it was started with. */
export async function openThreadPort(): Promise<{ readonly port: ThreadPort; readonly data: ThreadData }> {
  const port = parentPort;
  if (!port) return openProcessPort();
  /** Of the batches that are not answered, the first first: each goes back with its answer, to be filled again. */
  const slabs: ArrayBuffer[] = [];
  return {
    data: workerData as ThreadData,
    port: {
      placement: 'thread',
      send(message) {
        if (message.kind !== 'scores' && message.kind !== 'threw') return port.postMessage(message);
        const slab = slabs.shift()!;
        port.postMessage({ ...message, slab }, message.kind === 'scores' ? [message.scores.buffer, slab] : [slab]);
      },
      listen: (heed) =>
        port.on('message', (task: ToThread) => {
          if (task.kind === 'run') slabs.push(task.slab);
          heed(orderOf(task));
        }),
      close: () => port.close(),
    },
  };
}

const orderOf = (task: ToThread): Order => (task.kind === 'run' ? { kind: 'run', values: new SlabReader(task.slab, task.n) } : task);

async function openProcessPort(): Promise<{ readonly port: ThreadPort; readonly data: ThreadData }> {
  // Ctrl-C reaches every process of a terminal: this one ends when the one that it works for does, which may have batches to finish.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit());
  const data = await new Promise<ThreadData>((resolve) => process.once('message', resolve as (message: unknown) => void));
  return {
    data,
    port: {
      placement: 'process',
      send: (message) => void process.send!(message),
      listen: (heed) => process.on('message', (task) => heed(orderOf(task as ToThread))),
      close: () => process.disconnect(),
    },
  };
}

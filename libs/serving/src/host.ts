import { fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { messageOf } from './message.ts';
import type { ModelFolder } from './model-folder.ts';
import type { FromThread, Task, ThreadData, ToThread } from './protocol.ts';
import { packSlab, SlabPool, SpanReader } from './slab.ts';
import type { Order, ThreadPort } from './thread-port.ts';

/**
 * Where an inference thread lives. `inline`: nowhere but in the thread that asks, for models that take less time than waking another. `process`: what it takes is given back when it ends, which TensorFlow's native library never does while
 * its process lives, and a crash of the library ends nothing else. `thread`: batches are moved instead of copied.
 */
export type Placement = 'inline' | 'thread' | 'process';

/** Microseconds that a batch takes to be handed over and back beside its own time (measured: 13 to 20, and 120 to 150 for up to 128 small rows). */
export const handOver: Readonly<Record<Placement, number>> = { inline: 0, thread: 15, process: 130 };

/** An inference thread as its lane sees it. */
export interface Host {
  send(task: Task): void;
  end(): Promise<void>;
}

export interface HostOptions {
  /** File of the thread. */
  readonly file: URL;
  readonly data: ThreadData;
  /** The model as this thread has read it; others read it themselves. */
  readonly folder: ModelFolder;
  /** Largest JavaScript heap; undefined: the runtime's default. Tensors lie outside of it. */
  readonly memoryMb: number | undefined;
  readonly onMessage: (message: FromThread) => void;
  /** Called at least once when it ends, however it ends. */
  readonly onGone: (why: string) => void;
}

const starts: Readonly<Record<Placement, (options: HostOptions) => Host>> = {
  inline: startInline,
  thread: startThread,
  process: startProcess,
};

export const startHost = (placement: Placement, options: HostOptions): Host => starts[placement](options);

/** Rows are read where they are. Each task has a turn of the event loop of its own, so that whatever else the thread does goes on between batches. */
function startInline({ data, folder, onMessage, onGone }: HostOptions): Host {
  let heed: (order: Order) => void = () => undefined;
  let ended = false;
  const port: ThreadPort = {
    placement: 'inline',
    send: (message) => void (ended || onMessage(message)),
    listen: (handler) => (heed = handler),
    close: () => (ended = true),
  };
  import('./serve-thread.ts').then(({ serve }) => serve({ port, data, read: folder })).catch((error: unknown) => onGone(messageOf(error)));
  return {
    send: (task) =>
      void setImmediate(() => ended || heed(task.kind === 'run' ? { kind: 'run', values: new SpanReader(task.batch) } : task)),
    end: () => Promise.resolve(port.close()),
  };
}

function startThread({ file, data, memoryMb, onMessage, onGone }: HostOptions): Host {
  const worker = new Worker(file, {
    workerData: data,
    env: process.env,
    ...(memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
  });
  const slabs = new SlabPool();
  worker.on('message', ({ slab, ...message }: FromThread & { readonly slab?: ArrayBuffer }) => {
    if (slab) slabs.giveBack(slab);
    onMessage(message);
  });
  worker.on('error', (error: Error) => onGone(`the thread died: ${error.message}`));
  worker.on('exit', (code: number) => onGone(`the thread ended with code ${code}`));
  return {
    send(task) {
      if (task.kind !== 'run') return worker.postMessage(task);
      const slab = packSlab(task.batch, slabs);
      worker.postMessage({ kind: 'run', n: task.batch.n, slab } satisfies ToThread, [slab]);
    },
    end: async () => void (await worker.terminate()),
  };
}

/** glibc opens an arena for each of the many threads of TensorFlow, up to eight for each core, and keeps what they once held. */
const allocator = { MALLOC_ARENA_MAX: '2' } as const;

function startProcess({ file, data, memoryMb, onMessage, onGone }: HostOptions): Host {
  const child = fork(fileURLToPath(file), {
    execArgv: [...process.execArgv, ...(memoryMb === undefined ? [] : [`--max-old-space-size=${memoryMb}`])],
    env: { ...allocator, ...process.env },
    serialization: 'advanced',
    // Nothing may come between the lines that the application prints.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const lastWords = listen(child.stderr!);
  const slabs = new SlabPool();
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.on('message', (message) => onMessage(message as FromThread));
  child.on('error', (error) => onGone(`its process failed: ${error.message}`));
  child.on('close', (code, signal) => onGone(`its process ended with ${signal ?? `code ${code}`}${lastWords()}`));
  // Sending to one that has just died is no error of its own: its exit tells.
  const send = (message: ToThread | ThreadData): void => void child.send(message, () => undefined);
  send(data);
  return {
    send(task) {
      if (task.kind !== 'run') return send(task);
      const slab = packSlab(task.batch, slabs);
      send({ kind: 'run', n: task.batch.n, slab });
      // It was copied when it was sent.
      slabs.giveBack(slab);
    },
    async end() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Keeps what a process says on its error output: at its end it is the reason, before that TensorFlow's chatter. */
export function listen(stderr: Readable): () => string {
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-16_000)));
  return () => {
    const reason = /^(?:FATAL ERROR|Warning|(?:\w+ \[)?Error\]?): (.*)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1);
    return reason ? `: ${reason}` : '';
  };
}

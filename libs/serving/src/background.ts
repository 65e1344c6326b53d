import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** A tenth of the processor beside a busy thread of the usual niceness. */
const nicer = 10;
/** Milliseconds after which it is taken back: where every core is busy, what is nice for good is never done. */
const longest = 500;

/**
 * Does work, such as loading a model, without taking the processor from threads that serve: this thread, and in the main thread of a process
 * those that the work starts, are niced until it is done, for half a second at most. Only Linux nices threads one by one, and only who has the capability SYS_NICE may take it
 * back (root has it, in Docker only when it is added): elsewhere the work is done as it is.
 */
export async function inBackground<T>(work: () => Promise<T>): Promise<T> {
  const restore = lower() ?? (() => undefined);
  const timer = setTimeout(restore, longest);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    restore();
  }
}

function lower(): (() => void) | undefined {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    const before = getPriority(thread);
    if (!mayRaise()) return undefined;
    setPriority(thread, Math.min(19, before + nicer));
    // A thread starts as nice as the one that starts it: TensorFlow's would stay so.
    return () => (isMainThread ? readdirSync('/proc/self/task').map(Number) : [thread]).forEach((each) => raise(each, before));
  } catch {
    return undefined;
  }
}

/** capabilities(7): CAP_SYS_NICE is number 23. */
function mayRaise(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 23n) & 1n) === 1n;
}

function raise(thread: number, priority: number): void {
  try {
    setPriority(thread, priority);
  } catch {
    // It has ended.
  }
}

import { install, type Clock } from '@sinonjs/fake-timers';
import { seededRandom } from '@sluice/learning/simulation';

/** Where the virtual clock stands at the start: a fixed day, so that time stamps of a seed are always the same. */
const epoch = Date.UTC(2026, 0, 1);

export interface VirtualTime {
  /** Milliseconds since the start. */
  readonly now: () => number;
}

/**
 * Runs `body` in virtual time and with seeded chance: timers, Date, performance.now and Math.random of the whole process are
 * replaced until it ends. The clock moves only when nothing is left to do: after each timer every microtask and every nextTick runs, which
 * one turn of the real event loop makes sure of, because nothing under test waits for real I/O.
 * @throws Error when nothing could ever happen any more, or after `limit` virtual milliseconds
 */
export async function inVirtualTime<T>(seed: number, { limit }: { limit: number }, body: (time: VirtualTime) => Promise<T>): Promise<T> {
  const turn = turnOf(setImmediate);
  const clock = install({ now: epoch, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
  const random = Math.random;
  const { stackTraceLimit } = Error;
  Math.random = seededRandom(seed ^ 0x5eed).uniform;
  // The clock notes a stack for each timer, the client for each error: a seventh of a seed's time, for nobody.
  Error.stackTraceLimit = 0;
  try {
    const time: VirtualTime = { now: () => clock.now - epoch };
    const running = settled(body(time));
    await advance({ clock, turn, limit, isOver: () => running.isOver });
    return await running.result;
  } finally {
    Math.random = random;
    Error.stackTraceLimit = stackTraceLimit;
    clock.uninstall();
  }
}

const turnOf = (immediate: typeof setImmediate) => (): Promise<void> => new Promise((resolve) => immediate(resolve));

interface Running<T> {
  readonly result: Promise<T>;
  isOver: boolean;
}

function settled<T>(result: Promise<T>): Running<T> {
  const running: Running<T> = { result, isOver: false };
  const end = () => (running.isOver = true);
  result.then(end, end);
  return running;
}

async function advance({ clock, turn, limit, isOver }: { clock: Clock; turn: () => Promise<void>; limit: number; isOver: () => boolean }) {
  for (;;) {
    await turn();
    if (isOver()) return;
    if (clock.countTimers() === 0) throw new Error('nothing is left that could happen');
    if (clock.now - epoch > limit) throw new Error(`not over after ${limit} ms of virtual time`);
    clock.next();
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Job, Outcome, Share } from './job.ts';
import { prepareStreams, streamsCommand, type StreamsPeer } from './streams.ts';

/** Threads of the Kafka Streams program, by contestant. */
const streamsThreads: Readonly<Record<string, number>> = { 'streams-1': 1, 'streams-2': 2 };

const longestMs = 180_000;

/** A contestant that consumes. */
export interface Running {
  /** What it said at its end. Rejects when it fails or takes more than three minutes. */
  readonly outcome: Promise<Outcome>;
  stop(): Promise<void>;
  /** Ends a job that has no end of its own; what it did until then, undefined when nothing. */
  finish(): Promise<Share | undefined>;
}

/** Starts contestants, each in a process of its own. */
export class Contest {
  #streams: StreamsPeer | string | undefined;

  /** Undefined when it can take part, else why not. */
  whyNot(contestant: string): string | undefined {
    if (!(contestant in streamsThreads)) return undefined;
    this.#streams ??= prepareStreams();
    return typeof this.#streams === 'string' ? this.#streams : undefined;
  }

  /** Resolves when it says that it is ready. */
  async start(job: Job): Promise<Running> {
    const [command, args] = this.#command(job);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2_000)));
    const next = async (): Promise<string> => {
      const { value, done } = await within(longestMs, lines.next(), `${job.contestant} took too long: ${complaints}`);
      if (done) throw new Error(`${job.contestant} ended early: ${complaints}`);
      return value;
    };
    try {
      if ((await next()) !== 'ready') throw new Error(`${job.contestant} said something else than ready`);
    } catch (thrown) {
      await end(child);
      throw thrown;
    }
    const outcome = job.events === null ? new Promise<never>(() => undefined) : next().then((line) => JSON.parse(line) as Outcome);
    outcome.catch(() => undefined);
    const finish = async (): Promise<Share | undefined> => {
      child.stdin.end();
      return (JSON.parse(await next()) as Share | null) ?? undefined;
    };
    return { outcome, stop: () => end(child), finish };
  }

  /** A run from its first record to its last commit. */
  async run(job: Job): Promise<Outcome> {
    const running = await this.start(job);
    try {
      return await running.outcome;
    } finally {
      await running.stop();
    }
  }

  #command(job: Job): [string, string[]] {
    const threads = streamsThreads[job.contestant];
    if (threads === undefined) return [process.execPath, [join(import.meta.dirname, 'child.ts'), JSON.stringify(job)]];
    this.#streams ??= prepareStreams();
    if (typeof this.#streams === 'string') throw new Error(this.#streams);
    return streamsCommand(this.#streams, job, threads);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(timer);
}

async function within<T>(ms: number, promise: Promise<T>, complaint: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(complaint)), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

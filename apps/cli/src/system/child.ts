import { spawn, type ChildProcess } from 'node:child_process';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { SluiceError } from '@sluice/domain';
import type { Usage } from './system.ts';
import { usageOf } from './usage.ts';

export interface ChildSpec {
  readonly name: string;
  /** TypeScript entry of the app. */
  readonly entry: string;
  readonly args: readonly string[];
  /** File that takes its output. */
  readonly log: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How far it gives way where cores are short, 0 (the default) to 19. */
  readonly niceness?: number;
}

const readyTimeoutMs = 60_000;

/** One app as a process of its own, logging to a file, ended when its parent ends. */
export class Child {
  readonly name: string;
  readonly died: Promise<never>;
  readonly #process: ChildProcess;
  readonly #log: string;
  readonly #exited: Promise<number | null>;
  #closing = false;
  #health: string | undefined;
  #usage: Usage = { rssMb: 0, cpuSeconds: 0 };

  constructor(spec: ChildSpec) {
    this.name = spec.name;
    this.#log = spec.log;
    const log = createWriteStream(spec.log);
    this.#process = spawn(process.execPath, ['--no-warnings', spec.entry, ...spec.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...spec.env, SLUICE_PARENT_PID: String(process.pid), SLUICE_INSTANCE: spec.name, SLUICE_HEALTH_PORT: '0' },
    });
    // A process that did not start has no id; `died` says why.
    if (spec.niceness !== undefined && this.#process.pid !== undefined) setPriority(this.#process.pid, spec.niceness);
    this.#process.stdout!.pipe(log, { end: false });
    this.#process.stderr!.pipe(log, { end: false });
    this.#process.on('message', (message) => {
      if (isStarted(message)) this.#health = message.health;
    });
    this.#exited = once(this.#process, 'close').then(([code]: unknown[]) => code as number | null);
    this.died = this.#exited.then((code) => (this.#closing ? new Promise<never>(() => undefined) : Promise.reject(this.#deathOf(code))));
    this.died.catch(() => undefined);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Resolves when the app says that it is ready for work. */
  async ready(): Promise<void> {
    const end = performance.now() + readyTimeoutMs;
    while (performance.now() < end) {
      if (this.#health !== undefined && (await isReady(this.#health))) return;
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 50)), this.died]);
    }
    throw new SluiceError(
      'SLUICE_PROCESS_DIED',
      `${this.name} was not ready after ${readyTimeoutMs / 1000} s; its log is ${this.#log}\n${this.#tail()}`,
    );
  }

  /** Memory and CPU time; of a process that has ended, what was seen last. */
  sample(): Usage {
    this.#usage = usageOf(this.pid) ?? this.#usage;
    return this.#usage;
  }

  /** Log lines with this `event` key so far. */
  async logged(event: string): Promise<readonly Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for await (const line of createInterface({ input: createReadStream(this.#log) })) {
      if (line.includes(`"event":"${event}"`)) found.push(JSON.parse(line) as Record<string, unknown>);
    }
    return found;
  }

  /** Drains the app. @throws SluiceError SLUICE_PROCESS_DIED when it does not end with code 0. */
  async close(): Promise<void> {
    this.sample();
    this.#closing = true;
    this.#process.kill('SIGTERM');
    const code = await this.#exited;
    if (code !== 0) throw this.#deathOf(code);
  }

  /** Sends a signal that does not announce an end: SIGSTOP, SIGCONT, or a SIGKILL that counts as a death. */
  disturb(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  kill(signal: NodeJS.Signals): Promise<number | null> {
    this.#closing = true;
    this.#process.kill(signal);
    return this.#exited;
  }

  #deathOf(code: number | null): SluiceError {
    return new SluiceError(
      'SLUICE_PROCESS_DIED',
      `${this.name} ended with ${code === null ? 'a signal' : `exit code ${code}`}; its log is ${this.#log}\n${this.#tail()}`,
    );
  }

  #tail(): string {
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  }
}

function isStarted(message: unknown): message is { readonly health: string } {
  return (
    typeof message === 'object' && message !== null && 'event' in message && message.event === 'service.started' && 'health' in message
  );
}

async function isReady(health: string): Promise<boolean> {
  try {
    return (await fetch(`${health}/readyz`)).ok;
  } catch {
    return false;
  }
}

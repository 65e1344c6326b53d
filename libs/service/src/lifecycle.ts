import { describeError, defineMachine, SluiceError, type Clock, type Machine } from '@sluice/domain';
import { systemClock } from './clock.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { openHealthServer, type HealthCheck, type HealthServer } from './health-server.ts';
import { createLogger, instanceName, type Logger } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { supervisorPid, watchParent, type ParentHost } from './parent.ts';
import { onStopSignals, type StopSignal } from './stop-signals.ts';

/** What a service is handed at its start. */
export interface ServiceContext {
  readonly name: string;
  readonly instance: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Aborted as soon as the service must stop, also while it is still starting. */
  readonly signal: AbortSignal;
}

/** A service that has started. */
export interface RunningService {
  /** Finishes what is under way, commits it and lets go of everything. */
  close(): Promise<void>;
  /** Whether it should get work now: assigned, policy loaded, model warm. */
  ready(): boolean;
  /** Details for /readyz?verbose. */
  checks?(): readonly HealthCheck[];
  /** Whether it makes progress; left out: as long as it answers. */
  live?(): boolean;
  /** Rejects when the service cannot go on (a pipe's `done`); resolving says nothing. */
  readonly failed?: Promise<unknown>;
}

export interface ServiceSpec {
  readonly name: string;
  readonly start: (context: ServiceContext) => Promise<RunningService>;
  /** Port of /metrics, /livez, /readyz; left out: SLUICE_HEALTH_PORT, else a free one. */
  readonly healthPort?: number;
  readonly healthHost?: string;
  /** How long `close` may take before the process ends without it; default 15 s. */
  readonly drainMs?: number;
}

/** The process as the lifecycle sees it; replaced in tests. */
export interface ServiceHost extends ParentHost {
  on(event: StopSignal | 'uncaughtException' | 'unhandledRejection', listener: (argument: unknown) => void): unknown;
  off(event: StopSignal | 'disconnect', listener: () => void): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
  send?(message: unknown, handle?: undefined, options?: undefined, done?: (error: Error | null) => void): unknown;
}

const states = {
  starting: ['running', 'draining', 'ended'],
  running: ['draining', 'ended'],
  draining: ['ended'],
  ended: [],
} as const;

/**
 * Runs a service until a signal, its own failure, or the end of its parent, and ends the process with a code of
 * `exitCodes`. SIGINT and SIGTERM drain; a second one ends at once. Under a supervisor (SLUICE_PARENT_PID) SIGINT is
 * left to it: Ctrl-C reaches the whole process group, and the supervisor decides who drains first.
 */
export async function runService(spec: ServiceSpec, host: ServiceHost = process as ServiceHost): Promise<void> {
  try {
    await new Lifecycle(spec, host).run();
  } catch (thrown) {
    reportAndExit(host, thrown);
  }
}

/** Prints the error for people on stderr and ends with its code. For failures before `runService`, such as a wrong option. */
export function reportAndExit(host: Pick<ServiceHost, 'exit' | 'stderr'>, thrown: unknown): void {
  const text =
    thrown instanceof SluiceError ? describeError(thrown) : `unexpected error: ${thrown instanceof Error ? thrown.stack : String(thrown)}`;
  host.stderr.write(`${text}\n`);
  host.exit(thrown instanceof SluiceError ? exitCodeOf(thrown) : exitCodes.unexpected);
}

class Lifecycle {
  readonly #spec: ServiceSpec;
  readonly #host: ServiceHost;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #abort = new AbortController();
  readonly #machine: Machine<keyof typeof states>;
  #service: RunningService | undefined;
  #health: HealthServer | undefined;
  #starting: Promise<RunningService> | undefined;
  #unwatch: () => void = () => undefined;

  constructor(spec: ServiceSpec, host: ServiceHost) {
    this.#spec = spec;
    this.#host = host;
    this.#log = createLogger(spec.name);
    this.#metrics = createMetrics({ app: spec.name, instance: instanceName(host.env) });
    this.#machine = defineMachine<keyof typeof states>(spec.name, states, {
      start: 'starting',
      onChange: (_, state) => this.#log.debug(`service.${state}`),
    });
  }

  async run(): Promise<void> {
    this.#watch();
    try {
      this.#health = await openHealthServer({
        metrics: this.#metrics,
        live: () => [{ name: 'progress', ok: this.#service?.live?.() ?? true }],
        ready: () => this.#readiness(),
        port: this.#spec.healthPort ?? Number(this.#host.env['SLUICE_HEALTH_PORT'] ?? 0),
        ...(this.#spec.healthHost !== undefined && { host: this.#spec.healthHost }),
      });
      this.#starting = this.#spec.start(this.#context());
      this.#service = await this.#starting;
    } catch (thrown) {
      // A start that was told to stop may fail because of it; the drain under way then decides the exit code.
      if (this.#machine.is('starting')) await this.#fail(thrown);
      return;
    }
    if (!this.#machine.is('starting')) return;
    this.#service.failed?.catch((thrown: unknown) => void this.#fail(thrown));
    this.#machine.to('running');
    this.#log.info('service.started', { health: this.#health.url });
    // A parent may have gone meanwhile: with a callback the lost message is no uncaught error, and the watch of the parent drains.
    this.#host.send?.({ event: 'service.started', health: this.#health.url }, undefined, undefined, () => undefined);
  }

  #context(): ServiceContext {
    const { name } = this.#spec;
    return {
      name,
      instance: instanceName(this.#host.env),
      log: this.#log,
      metrics: this.#metrics,
      clock: systemClock,
      signal: this.#abort.signal,
    };
  }

  #readiness(): readonly HealthCheck[] {
    const running = this.#machine.is('running');
    const checks = this.#service?.checks?.() ?? [];
    return [
      { name: 'lifecycle', ok: running, why: this.#machine.state },
      ...checks,
      { name: this.#spec.name, ok: running && this.#service!.ready() },
    ];
  }

  #watch(): void {
    const supervised = supervisorPid(this.#host.env) !== undefined;
    if (supervised) this.#host.on('SIGINT', () => undefined);
    onStopSignals(
      this.#host,
      {
        drain: () => void this.#drain(exitCodes.drained),
        endNow: (signal) => this.#end(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated),
      },
      supervised ? ['SIGTERM'] : ['SIGINT', 'SIGTERM'],
    );
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) this.#host.on(event, (thrown) => void this.#fail(thrown));
    this.#unwatch = watchParent(this.#host, (why) => {
      this.#log.warn('service.orphaned', { why });
      void this.#drain(exitCodes.drained);
    });
  }

  /** Reports once; what a failing service can still finish it finishes, within the deadline. */
  async #fail(thrown: unknown): Promise<void> {
    if (this.#machine.is('draining', 'ended')) return this.#log.error('service.failed_draining', thrown);
    reportAndExit({ stderr: this.#host.stderr, exit: () => undefined }, thrown);
    this.#log.error('service.failed', thrown);
    await this.#drain(thrown instanceof SluiceError ? exitCodeOf(thrown) : exitCodes.unexpected);
  }

  async #drain(code: number): Promise<void> {
    if (this.#machine.is('draining', 'ended')) return;
    this.#machine.to('draining');
    this.#abort.abort();
    const limit = this.#spec.drainMs ?? 15_000;
    const outcome = await withDeadline(this.#close(), limit);
    if (outcome === 'late')
      this.#host.stderr.write(`${this.#spec.name}: not drained after ${limit} ms; uncommitted records are processed by the next start\n`);
    this.#end(outcome === 'done' ? code : code || exitCodes.retry);
  }

  async #close(): Promise<void> {
    try {
      const service = this.#service ?? (await this.#starting?.catch(() => undefined));
      await service?.close();
    } finally {
      await this.#health?.close();
    }
  }

  #end(code: number): void {
    if (this.#machine.is('ended')) return;
    this.#machine.to('ended');
    this.#unwatch();
    void this.#health?.close();
    this.#host.exit(code);
  }
}

async function withDeadline(work: Promise<void>, limitMs: number): Promise<'done' | 'late' | 'failed'> {
  const { promise, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), limitMs);
  try {
    return await Promise.race([work.then(() => 'done' as const), promise]);
  } catch {
    return 'failed';
  } finally {
    clearTimeout(timer);
  }
}

import { EventEmitter } from 'node:events';
import { SluiceError } from '@sluice/domain';
import { runService, type RunningService, type ServiceHost, type ServiceSpec } from './lifecycle.ts';

class FakeHost extends EventEmitter implements ServiceHost {
  env: NodeJS.ProcessEnv = {};
  ppid = 1;
  connected = false;
  printed = '';
  sent: { event: string; health: string }[] = [];
  readonly stderr = { write: (text: string) => (this.printed += text) };
  readonly exited: Promise<number>;
  exit!: (code: number) => void;

  constructor() {
    super();
    this.exited = new Promise((resolve) => (this.exit = resolve));
  }

  kill(): void {}
  send(message: unknown): void {
    this.sent.push(message as { event: string; health: string });
  }
}

function service(parts: Partial<RunningService> = {}): RunningService {
  return { close: async () => undefined, ready: () => true, ...parts };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

let host: FakeHost;
const run = (spec: Partial<ServiceSpec> = {}) => runService({ name: 'router', start: async () => service(), ...spec }, host);

beforeAll(() => {
  process.env['SLUICE_LOG'] = 'silent';
});
beforeEach(() => {
  host = new FakeHost();
});
afterAll(() => {
  delete process.env['SLUICE_LOG'];
});

describe('runService', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('drains on %s and ends with 0', async (signal) => {
    const close = jest.fn(async () => undefined);
    await run({ start: async () => service({ close }) });
    host.emit(signal);
    expect(await host.exited).toBe(0);
    expect(close).toHaveBeenCalledTimes(1);
    expect(host.printed).toBe('');
  });

  it('ends at once on a second signal', async () => {
    await run({ start: async () => service({ close: never }), drainMs: 200 });
    host.emit('SIGINT');
    jest.spyOn(performance, 'now').mockReturnValueOnce(performance.now() + 600);
    host.emit('SIGTERM');
    expect(await host.exited).toBe(143);
  });

  it('ends with 75 when draining takes longer than the deadline', async () => {
    await run({ start: async () => service({ close: never }), drainMs: 20 });
    host.emit('SIGTERM');
    expect(await host.exited).toBe(75);
    expect(host.printed).toContain('not drained after 20 ms');
  });

  it('reports a start that fails with code and remedy, and closes what it opened', async () => {
    await run({
      start: () => Promise.reject(new SluiceError('SLUICE_MODEL_MISSING', 'no model mail-fast', { cause: new Error('ENOENT') })),
    });
    expect(await host.exited).toBe(66);
    expect(host.printed).toMatch(/^SLUICE_MODEL_MISSING: no model mail-fast\. Cause: ENOENT\. Train/);
  });

  it('reports a taken health port before it starts anything', async () => {
    await run();
    const port = Number(new URL(host.sent[0]!.health).port);
    const first = host;
    host = new FakeHost();
    const start = jest.fn();
    await run({ start, healthPort: port });
    expect(await host.exited).toBe(69);
    expect(host.printed).toContain('SLUICE_PORT_TAKEN');
    expect(start).not.toHaveBeenCalled();
    first.emit('SIGTERM');
    await first.exited;
  });

  it('drains and ends with the code of a failure in mid-run, reported once', async () => {
    const failed = Promise.reject(new SluiceError('SLUICE_STALLED', 'nothing moved for 60 s'));
    const close = jest.fn(async () => undefined);
    await run({ start: async () => service({ failed, close }) });
    expect(await host.exited).toBe(75);
    expect(close).toHaveBeenCalledTimes(1);
    expect(host.printed.match(/SLUICE_STALLED/g)).toHaveLength(1);
  });

  it('ends with 1 and a stack on an error that is none of the table', async () => {
    await run();
    host.emit('uncaughtException', new TypeError('x is not a function'));
    expect(await host.exited).toBe(1);
    expect(host.printed).toMatch(/unexpected error: TypeError: x is not a function\n\s+at /);
  });

  it('says what is ready: not before start has ended, not while draining', async () => {
    const started = Promise.withResolvers<RunningService>();
    const closed = Promise.withResolvers<void>();
    let isReady = false;
    const running = run({ start: () => started.promise });
    started.resolve(service({ ready: () => isReady, close: () => closed.promise, checks: () => [{ name: 'policy', ok: true }] }));
    await running;
    const url = host.sent[0]!.health;
    const status = async () => (await fetch(`${url}/readyz`)).status;
    expect(await status()).toBe(503);
    isReady = true;
    expect(await status()).toBe(200);
    expect(await (await fetch(`${url}/readyz?verbose`)).text()).toBe('[+] lifecycle: running\n[+] policy\n[+] router\nok\n');
    host.emit('SIGTERM');
    expect(await status()).toBe(503);
    closed.resolve();
    expect(await host.exited).toBe(0);
  });

  it('closes a service whose start was under way when the signal came', async () => {
    const started = Promise.withResolvers<RunningService>();
    const close = jest.fn(async () => undefined);
    const begun = Promise.withResolvers<AbortSignal>();
    const running = run({ start: ({ signal }) => (begun.resolve(signal), started.promise) });
    const signal = await begun.promise;
    host.emit('SIGTERM');
    expect(signal.aborted).toBe(true);
    started.resolve(service({ close }));
    await running;
    expect(await host.exited).toBe(0);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('drains when its parent is gone', async () => {
    host.connected = true;
    await run();
    host.emit('disconnect');
    expect(await host.exited).toBe(0);
  });

  it('leaves Ctrl-C to its supervisor and obeys SIGTERM', async () => {
    host.env = { SLUICE_PARENT_PID: String(process.pid) };
    const close = jest.fn(async () => undefined);
    await run({ start: async () => service({ close }) });
    host.emit('SIGINT');
    await new Promise(setImmediate);
    expect(close).not.toHaveBeenCalled();
    host.emit('SIGTERM');
    expect(await host.exited).toBe(0);
  });
});

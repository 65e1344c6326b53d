import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SluiceError } from '@sluice/domain';
import type { Metrics } from './metrics.ts';

/** One thing that must hold for the process to be ready or alive. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Shown with ?verbose: what is waited for. */
  readonly why?: string;
}

export interface HealthServerSpec {
  readonly metrics: Metrics;
  /** Fails only when a restart would help; never looks at dependencies. */
  readonly live: () => readonly HealthCheck[];
  /** Fails while the process should get no traffic. */
  readonly ready: () => readonly HealthCheck[];
  /** Left out or 0: a free one. */
  readonly port?: number;
  /** Left out: 127.0.0.1. An image that is probed from outside sets 0.0.0.0. */
  readonly host?: string;
}

export interface HealthServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves /metrics, /livez and /readyz (both with ?verbose).
 * @throws SluiceError SLUICE_PORT_TAKEN, or SLUICE_CONFIG_INVALID when the address cannot be used at all.
 */
export async function openHealthServer(spec: HealthServerSpec): Promise<HealthServer> {
  const host = spec.host ?? '127.0.0.1';
  const server = createServer((request, response) => void answer(spec, request, response));
  await listen(server, spec.port ?? 0, host);
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://${host}:${port}`, close: () => closeServer(server) };
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EADDRINUSE') reject(new SluiceError('SLUICE_PORT_TAKEN', `port ${port} on ${host} is in use`, { cause }));
    else reject(new SluiceError('SLUICE_CONFIG_INVALID', `cannot listen on ${host}:${port}`, { cause }));
  });
  server.listen(port, host, resolve);
  await promise;
}

async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

async function answer(spec: HealthServerSpec, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, { status: 405, text: 'only GET and HEAD\n' });
  const url = new URL(request.url ?? '/', 'http://localhost');
  const verbose = url.searchParams.has('verbose');
  switch (url.pathname) {
    case '/livez':
      return sendChecks(response, spec.live(), verbose);
    case '/readyz':
      return sendChecks(response, spec.ready(), verbose);
    case '/metrics':
      return sendMetrics(response, spec.metrics);
    default:
      return send(response, { status: 404, text: 'one of /livez, /readyz, /metrics\n' });
  }
}

async function sendMetrics(response: ServerResponse, metrics: Metrics): Promise<void> {
  try {
    send(response, { status: 200, text: await metrics.text(), type: metrics.contentType });
  } catch (thrown) {
    send(response, { status: 500, text: `a metric could not be collected: ${String(thrown)}\n` });
  }
}

function sendChecks(response: ServerResponse, checks: readonly HealthCheck[], verbose: boolean): void {
  const ok = checks.every((check) => check.ok);
  const lines = verbose ? checks.map((check) => `[${check.ok ? '+' : '-'}] ${check.name}${check.why ? `: ${check.why}` : ''}\n`) : [];
  send(response, { status: ok ? 200 : 503, text: `${lines.join('')}${ok ? 'ok' : 'not ok'}\n` });
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

function send(response: ServerResponse, { status, text, type = 'text/plain; charset=utf-8' }: Reply): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}

import { openHealthServer, type HealthCheck, type HealthServer } from './health-server.ts';
import { createMetrics } from './metrics.ts';

const metrics = createMetrics({ app: 'router', instance: 'one' }, { process: false });
let ready: HealthCheck[];
let server: HealthServer;

beforeEach(async () => {
  ready = [{ name: 'policy', ok: true }];
  server = await openHealthServer({ metrics, live: () => [{ name: 'progress', ok: true }], ready: () => ready });
});
afterEach(() => server.close());

const get = async (path: string, init?: RequestInit) => {
  const response = await fetch(`${server.url}${path}`, init);
  return { status: response.status, text: await response.text() };
};

describe('openHealthServer', () => {
  it('takes a free port on loopback', () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(server.port).toBeGreaterThan(0);
  });

  it('answers 200 while ready and 503 while a check fails, with reasons when asked', async () => {
    expect(await get('/readyz')).toEqual({ status: 200, text: 'ok\n' });
    ready = [
      { name: 'policy', ok: true },
      { name: 'assignment', ok: false, why: 'waiting for the group' },
    ];
    expect(await get('/readyz')).toEqual({ status: 503, text: 'not ok\n' });
    expect(await get('/readyz?verbose')).toEqual({ status: 503, text: '[+] policy\n[-] assignment: waiting for the group\nnot ok\n' });
    expect((await get('/livez')).status).toBe(200);
  });

  it('serves metrics in the format of Prometheus', async () => {
    metrics.counter({ name: 'sluice_seen_total', help: 'Seen.' }).inc();
    expect((await get('/metrics')).text).toContain('sluice_seen_total{app="router",instance="one"} 1');
  });

  it('knows no other path and changes nothing', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await get('/readyz', { method: 'POST' })).status).toBe(405);
  });

  it('reports a taken port by its code', async () => {
    const second = openHealthServer({ metrics, live: () => [], ready: () => [], port: server.port });
    await expect(second).rejects.toMatchObject({ code: 'SLUICE_PORT_TAKEN', message: expect.stringContaining(String(server.port)) });
  });

  it('reports an address that is not of this machine as a wrong option', async () => {
    const second = openHealthServer({ metrics, live: () => [], ready: () => [], host: '192.0.2.1' });
    await expect(second).rejects.toMatchObject({ code: 'SLUICE_CONFIG_INVALID' });
  });
});

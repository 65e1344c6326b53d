import { createMetrics } from './metrics.ts';

const labels = { app: 'router', instance: 'one' };

describe('createMetrics', () => {
  it('exposes what was counted with app and instance', async () => {
    const metrics = createMetrics(labels, { process: false });
    metrics.counter({ name: 'sluice_router_records_total', help: 'Records routed.', labels: ['tier'] }).inc({ tier: 'fast' }, 2);
    metrics.histogram({ name: 'sluice_router_decision_seconds', help: 'Time of a decision.', buckets: [0.001] }).observe(0.0005);
    metrics.gauge({ name: 'sluice_router_partitions', help: 'Partitions assigned.', collect: (gauge) => gauge.set(4) });
    const text = await metrics.text();
    expect(text).toContain('sluice_router_records_total{tier="fast",app="router",instance="one"} 2');
    expect(text).toContain('sluice_router_decision_seconds_bucket{le="0.001",app="router",instance="one"} 1');
    expect(text).toContain('sluice_router_partitions{app="router",instance="one"} 4');
  });

  it('adds resident memory and event loop delay of the process', async () => {
    const text = await createMetrics(labels).text();
    expect(text).toContain('process_resident_memory_bytes');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  it('keeps registries apart', async () => {
    const first = createMetrics(labels, { process: false });
    const second = createMetrics(labels, { process: false });
    first.counter({ name: 'sluice_a_total', help: 'a' });
    expect(() => second.counter({ name: 'sluice_a_total', help: 'a' })).not.toThrow();
  });

  it.each([
    ['a foreign prefix', 'router_records_total', []],
    ['a counter without _total', 'sluice_router_records', []],
    ['milliseconds', 'sluice_router_wait_ms_total', []],
    ['a label with one value per event', 'sluice_router_records_total', ['id']],
  ])('refuses %s', (_, name, names) => {
    expect(() => createMetrics(labels, { process: false }).counter({ name, help: 'x', labels: names })).toThrow(name);
  });
});

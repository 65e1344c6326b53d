import type { Clock } from '@sluice/domain';
import { observePipes, observePolicy, type Metrics, type Sample } from '@sluice/service';
import type { Inference, Worker } from './app.ts';

const table: readonly (readonly [string, string, (worker: Worker) => number])[] = [
  ['sluice_worker_queued_rows', 'Rows that wait for a batch.', ({ server }) => server.queued],
  [
    'sluice_worker_batch_base_seconds',
    'Fitted time of a batch of n rows, base + row * n: the base.',
    ({ server }) => server.fit().base / 1e6,
  ],
  [
    'sluice_worker_batch_row_seconds',
    'Fitted time of a batch of n rows, base + row * n: each row.',
    ({ server }) => server.fit().perRow / 1e6,
  ],
  [
    'sluice_worker_delay_seconds',
    'Time that a record put on the topic now would wait until it is taken, as last reported.',
    ({ pace }) => pace.lastDelay / 1000,
  ],
  [
    'sluice_worker_cache_hit_ratio',
    'Share of rows answered without asking the model; 0 without a cache.',
    ({ cache }) => cache?.hitRate ?? 0,
  ],
  [
    'sluice_worker_rollbacks_total',
    'Versions that were left again since they failed on what the version before answers.',
    ({ server }) => server.rollbacks,
  ],
  ['sluice_worker_threads_lost_total', 'Inference threads that hung or died, and were replaced.', ({ server }) => server.losses],
  ['sluice_worker_breaker_open', '1 while batches are kept away from a failing model.', ({ breaker }) => (breaker?.isOpen ? 1 : 0)],
];

/** What a worker process shows on /metrics, by tier. */
export function observeInference(metrics: Metrics, { workers, policy }: Inference, clock: Clock): void {
  observePipes(metrics, Object.fromEntries(workers.map(({ tier, pipe }) => [tier.name, pipe])));
  observePolicy(metrics, policy, clock);
  const perTier = (read: (worker: Worker) => number) => (): Sample[] =>
    workers.map((worker) => ({ labels: { tier: worker.tier.name }, value: read(worker) }));
  for (const [name, help, read] of table) metrics.observe({ name, help, labels: ['tier'] }, perTier(read));
  metrics.observe(
    {
      name: 'sluice_worker_records_total',
      help: 'Records by what became of them: served, escalated, shadow, fallback, retry, shed, refused.',
      labels: ['tier', 'fate'],
    },
    () =>
      workers.flatMap(({ tier, answered }) =>
        answered.samples().map(({ labels, value }) => ({ labels: { tier: tier.name, ...labels }, value })),
      ),
  );
  metrics.observe(
    { name: 'sluice_worker_info', help: 'What a tier runs on.', labels: ['tier', 'model', 'version', 'backend', 'gpu'] },
    () =>
      workers.map(({ tier, server: { manifest, backend } }) => ({
        labels: { tier: tier.name, model: manifest.model, version: manifest.version, backend: backend.name, gpu: String(backend.gpu) },
        value: 1,
      })),
  );
}

import type { Cell } from './cell.ts';

/** Milliseconds that each row takes longer: all three tiers together answer about 250 requests a second, half of what the short form sends. */
const slowRowMs: Readonly<Record<string, string>> = { 'inference-fast': '7', 'inference-standard': '14', 'inference-heavy': '30' };

/** More work than the workers can do. */
export const loadCells: readonly Cell[] = [
  {
    name: 'overload',
    says: 'every model is slowed until half of the stream is too much; the flow lightens, then sheds',
    brokers: 1,
    withinSeconds: 10,
    flow: (flow) => ({
      ...flow,
      overload: ['lighten', 'shed'],
      request: { ...flow.request, deadlineMs: 3_000 },
      // In warm-up every event runs on every tier, and unseen runs have no deadline: they would be all that is left to do.
      controller: { ...flow.controller, warmUp: 0 },
    }),
    // Small slices: the answers of a slice leave together, so at 30 ms a row one of 256 would take twice the deadline.
    env: (app) => (app in slowRowMs ? { SLUICE_SLOW_ROW_MS: slowRowMs[app]!, SLUICE_HEALTH_MS: '200', SLUICE_MAX_SLICE: '16' } : {}),
    keepsPace: true,
    memory: true,
    replays: true,
    met: ({ refusals, drops, predictions }) => drops > 0 && refusals['SLUICE_OVERLOADED'] === drops && predictions > 0,
  },
];

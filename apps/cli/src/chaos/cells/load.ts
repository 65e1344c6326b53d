import type { Cell } from './cell.ts';

interface Slowness {
  /** Milliseconds that each row takes longer. */
  readonly perRow: number;
  readonly maxSlice: number;
}

/**
 * All three tiers together answer about 250 requests a second, a quarter of what the short form sends. The answers of a slice leave together, so none
 * may take much of the deadline: half a second each.
 */
const slowness: Readonly<Record<string, Slowness>> = {
  'inference-fast': { perRow: 7, maxSlice: 64 },
  'inference-standard': { perRow: 14, maxSlice: 32 },
  'inference-heavy': { perRow: 30, maxSlice: 16 },
};

/** More work than the workers can do. */
export const loadCells: readonly Cell[] = [
  {
    name: 'overload',
    says: 'every model is slowed until most of the stream is too much; the flow lightens, then sheds',
    brokers: 1,
    withinSeconds: 10,
    flow: (flow) => ({
      ...flow,
      overload: ['lighten', 'shed'],
      request: { ...flow.request, deadlineMs: 3_000 },
      // Unseen runs have no deadline and are never shed: more of them, as in warm-up, would be all that is left to do.
      controller: { ...flow.controller, warmUp: 0 },
      audit: { ...flow.audit, rate: 0.01 },
    }),
    env: (app) => envOf(slowness[app]),
    keepsPace: true,
    memory: true,
    replays: true,
    met: ({ refusals, drops, predictions }) => drops > 0 && refusals['SLUICE_OVERLOADED'] === drops && predictions > 0,
  },
];

function envOf(slow: Slowness | undefined): Readonly<Record<string, string>> {
  if (slow === undefined) return {};
  return { SLUICE_SLOW_ROW_MS: String(slow.perRow), SLUICE_MAX_SLICE: String(slow.maxSlice), SLUICE_HEALTH_MS: '200' };
}

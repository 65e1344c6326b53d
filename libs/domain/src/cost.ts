import { z } from 'zod';

/** What an event costs besides its time, and its time: the dimensions that a flow may weigh. */
export const costDimensions = ['time', 'money', 'energy'] as const;
export type CostDimension = (typeof costDimensions)[number];

const amount = z.number().min(0);

/** What one event costs on a model: a vector, of which `perEvent` is the time. */
export const modelCost = z.strictObject({
  perEvent: z.number().positive().describe('Microseconds of CPU per event at batch 32, input encoding included: the dimension `time`.'),
  money: amount.optional().describe('Price of one event, in a currency that all models of a flow share.'),
  energy: amount.optional().describe('Joules of one event.'),
  origin: z.enum(['declared', 'calibrated']),
});

const weight = z.number().min(0).default(0);

/** How much each dimension counts. Heavy's cost is 1 in each of them before it is weighed, so units do not matter. */
export const flowCost = z.strictObject({
  weights: z
    .strictObject({ time: weight, money: weight, energy: weight })
    .refine((weights) => costDimensions.some((dimension) => weights[dimension] > 0), 'at least one weight must be above 0')
    .default({ time: 1, money: 0, energy: 0 })
    .describe(
      'How much each dimension of a cost counts, in any unit: only their ratios matter. A dimension that is left out counts for nothing; each that counts must stand in the manifests of all tiers.',
    ),
});

/** The weights of a flow as shares of 1, those of nothing left out. */
export function costShares({ weights }: z.infer<typeof flowCost>): readonly (readonly [CostDimension, number])[] {
  const sum = costDimensions.reduce((total, dimension) => total + weights[dimension], 0);
  return costDimensions.filter((dimension) => weights[dimension] > 0).map((dimension) => [dimension, weights[dimension] / sum]);
}

/** One dimension of a model's cost; undefined where its manifest does not state it. */
export function costIn(cost: z.infer<typeof modelCost>, dimension: CostDimension): number | undefined {
  return dimension === 'time' ? cost.perEvent : cost[dimension];
}

import type { Panel, Tag } from '@sluice/domain';
import { better, onwards, remainingOf, type Continuation } from './continuation.ts';
import { barOf } from './eligibility.ts';
import { harmFloor, headLogit, sigmoid } from './heads.ts';
import { ballotsOf, fuse, isLossFirst, panelOf, panelRow, type Fused } from './panel.ts';
import type { StopInput } from './stop.ts';

/** All answers to an event weighed as one. */
export interface Together {
  readonly fused: Fused;
  /** Estimated probability that the fused answer is wrong where heavy's is right. */
  readonly harm: number;
  /** What is weighed against the price of going on: harm where loss comes first, any error where a budget does. */
  readonly risk: number;
  readonly next: Continuation | undefined;
}

/**
 * The stop rule where the policy has a panel of exactly the tiers that answered (docs/routing.md 3a): the answer is the fused one, its risk and
 * what would be left of it after each further tier come from the panel's heads.
 */
export function judgeTogether(input: StopInput): Together | undefined {
  const { flow, policy, tag, answer, signatureWidth } = input;
  const answers = [...tag.answers, answer];
  const panel = panelOf(policy, flow, answers);
  if (panel === undefined) return undefined;
  const shape = { signatureWidth, labels: flow.labels.length };
  const ballots = ballotsOf(panel.tiers, answers, shape.labels);
  const fused = fuse(panel.votes, ballots, shape.labels);
  const row = panelRow(tag.signature, fused, ballots, shape);
  const chance = (weights: Float32Array): number => Math.max(harmFloor, sigmoid(headLogit(weights, row)));
  const risks = panel.risks.map(chance);
  const heavyLabel = answers.find(({ tier }) => tier === flow.tiers[flow.tiers.length - 1]!.name)?.label;
  const harm = heavyLabel === undefined ? (panel.harm.length > 0 ? chance(panel.harm) : risks[0]!) : overruling(fused, heavyLabel);
  const known = [harm, ...risks].every((value) => !Number.isNaN(value));
  return known ? { fused, harm, risk: risks[0] ?? harm, next: nextOf(input, panel, risks) } : undefined;
}

/** Heavy is in the panel: no harm in its own label, else the chance that it was the right one. */
function overruling(fused: Fused, heavyLabel: number): number {
  return fused.label === heavyLabel ? 0 : fused.posterior[heavyLabel]!;
}

function nextOf({ flow, tag, now }: StopInput, panel: Panel, risks: readonly number[]): Continuation | undefined {
  if (risks.length === 0) return undefined;
  const missing = flow.tiers.map(({ name }) => name).filter((name) => !panel.tiers.includes(name));
  const remaining = remainingOf(tag, now);
  let best: Continuation | undefined;
  missing.forEach((tier, index) => {
    const position = positionOf(tag, tier);
    if (position < 0 || (isLossFirst(flow) && position < tag.slip.position)) return;
    if (barOf(tag.slip.tiers[position]!, remaining) !== undefined) return;
    const one = onwards(tag, position, risks[1 + index]!);
    if (best === undefined || better(one, best)) best = one;
  });
  return best;
}

function positionOf({ slip }: Tag, tier: string): number {
  return slip.tiers.findIndex((entry) => entry.tier === tier);
}

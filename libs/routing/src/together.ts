import type { Panel } from '@sluice/domain';
import { priceOf } from './candidate.ts';
import { better, remainingOf, type Continuation } from './continuation.ts';
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
  const row = panelRow(tag.signature, { fused, ballots }, shape);
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

function nextOf(input: StopInput, panel: Panel, risks: readonly number[]): Continuation | undefined {
  const { flow, tag } = input;
  const options = optionsOf(input, panel, risks);
  const doubt = Math.sqrt(risks[0]! * (1 - risks[0]!));
  let best: Continuation | undefined;
  for (const option of options) {
    const later = isLossFirst(flow) ? options.filter(({ position }) => position > option.position) : options;
    const gain = gainAfter(option, later, { panel, doubt, threshold: tag.slip.threshold });
    const one = { position: option.position, harm: option.risk, score: option.price + (option.risk - gain) / tag.slip.threshold };
    if (best === undefined || better(one, best)) best = one;
  }
  return best;
}

/** A tier that has not spoken and may be asked. */
interface Option {
  readonly position: number;
  /** Its place among the panel's missing tiers. */
  readonly index: number;
  readonly price: number;
  /** Of the answer once this tier has spoken too. */
  readonly risk: number;
}

function optionsOf({ flow, tag, now }: StopInput, panel: Panel, risks: readonly number[]): Option[] {
  if (risks.length === 0) return [];
  const { tiers, position: here } = tag.slip;
  const remaining = remainingOf(tag, now);
  const missing = flow.tiers.map(({ name }) => name).filter((name) => !panel.tiers.includes(name));
  return missing.flatMap((name, index): Option[] => {
    const position = tiers.findIndex(({ tier }) => tier === name);
    if (position < 0 || (isLossFirst(flow) && position < here)) return [];
    if (barOf(tiers[position]!, remaining) !== undefined) return [];
    return [{ position, index, price: priceOf(tiers[position]!), risk: risks[1 + index]! }];
  });
}

/**
 * What asking on after tier j is expected to save beyond its price: E[max(0, gain of i - threshold x price of i)] for the best i. Once j has
 * spoken the stop rule will know that gain better than now; it is taken as logistic around what is expected of it, with the spread
 * the panel has seen, and so the expectation is a softplus.
 */
function gainAfter(j: Option, later: readonly Option[], { panel, doubt, threshold }: Outlook): number {
  const missing = panel.risks.length - 1;
  let most = 0;
  for (const i of later) {
    const at = 2 * (j.index * missing + i.index);
    const scale = (panel.gains[at + 1]! * doubt * Math.sqrt(3)) / Math.PI;
    if (i === j || !(scale > 0)) continue;
    const excess = j.risk - i.risk + panel.gains[at]! - threshold * i.price;
    most = Math.max(most, scale * Math.log1p(Math.exp(Math.min(30, excess / scale))));
  }
  return most;
}

interface Outlook {
  readonly panel: Panel;
  /** Standard deviation of whether the answer in hand is wrong. */
  readonly doubt: number;
  readonly threshold: number;
}

import type { Answer, Panel } from '@sluice/domain';
import { priceOf } from './candidate.ts';
import { better, remainingOf, type Continuation } from './continuation.ts';
import { barOf } from './eligibility.ts';
import { harmFloor, headLogit, sigmoid } from './heads.ts';
import { ballotsOf, fuse, isLossFirst, panelColumns, panelOf, type Fused } from './panel.ts';
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
  const { flow, policy, tag, answer } = input;
  if (policy.panels.length === 0) return undefined;
  const answers = tag.answers.concat(answer);
  const panel = panelOf(policy, flow, answers);
  return panel && judgedBy(panel, input, answers);
}

function judgedBy(panel: Panel, input: StopInput, answers: readonly Answer[]): Together | undefined {
  const { flow, tag, signatureWidth } = input;
  const shape = { signatureWidth, labels: flow.labels.length };
  const ballots = ballotsOf(panel.tiers, answers, shape.labels);
  const fused = fuse(panel.votes, ballots, shape.labels);
  const columns = panelColumns({ fused, ballots }, shape);
  const chance = (weights: Float32Array): number =>
    Math.max(harmFloor, sigmoid(headLogit(weights, columns, headLogit(weights, tag.signature))));
  const risks = panel.risks.map(chance);
  const heavyLabel = answers.find(({ tier }) => tier === flow.tiers[flow.tiers.length - 1]!.name)?.label;
  const harm = heavyLabel === undefined ? (panel.harm.length > 0 ? chance(panel.harm) : risks[0]!) : overruling(fused, heavyLabel);
  const known = !Number.isNaN(harm) && !risks.some(Number.isNaN);
  return known ? { fused, harm, risk: risks[0] ?? harm, next: nextOf(input, panel, risks) } : undefined;
}

/** Heavy is in the panel: no harm in its own label, else the chance that it was the right one. */
function overruling(fused: Fused, heavyLabel: number): number {
  return fused.label === heavyLabel ? 0 : fused.posterior[heavyLabel]!;
}

function nextOf(input: StopInput, panel: Panel, risks: readonly number[]): Continuation | undefined {
  const { threshold } = input.tag.slip;
  const options = optionsOf(input, panel, risks);
  const doubt = Math.sqrt(risks[0]! * (1 - risks[0]!));
  const outlook = { panel, options, onlyHeavier: isLossFirst(input.flow), doubt, threshold };
  let best: Continuation | undefined;
  for (const option of options) {
    const { position, price, risk } = option;
    const one = { position, harm: risk, score: price + (risk - gainAfter(option, outlook)) / threshold };
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
  const options: Option[] = [];
  if (risks.length === 0) return options;
  const { tiers, position: here } = tag.slip;
  const remaining = remainingOf(tag, now);
  let index = -1;
  for (const { name } of flow.tiers) {
    if (panel.tiers.includes(name)) continue;
    index++;
    const position = tiers.findIndex(({ tier }) => tier === name);
    if (position < 0 || (isLossFirst(flow) && position < here)) continue;
    if (barOf(tiers[position]!, remaining) !== undefined) continue;
    options.push({ position, index, price: priceOf(tiers[position]!), risk: risks[1 + index]! });
  }
  return options;
}

/**
 * What asking on after tier j is expected to save beyond its price: E[max(0, gain of i - threshold x price of i)] for the best i. Once j has
 * spoken the stop rule will know that gain better than now; it is taken as logistic around what is expected of it, with the spread
 * the panel has seen, and so the expectation is a softplus.
 */
function gainAfter(j: Option, { panel, options, onlyHeavier, doubt, threshold }: Outlook): number {
  const missing = panel.risks.length - 1;
  let most = 0;
  for (const i of options) {
    if (i === j || (onlyHeavier && i.position < j.position)) continue;
    const at = 2 * (j.index * missing + i.index);
    const scale = (panel.gains[at + 1]! * doubt * Math.sqrt(3)) / Math.PI;
    if (!(scale > 0)) continue;
    const excess = j.risk - i.risk + panel.gains[at]! - threshold * i.price;
    most = Math.max(most, scale * Math.log1p(Math.exp(Math.min(30, excess / scale))));
  }
  return most;
}

interface Outlook {
  readonly panel: Panel;
  readonly options: readonly Option[];
  /** Whether a tier is asked only after those that are lighter. */
  readonly onlyHeavier: boolean;
  /** Standard deviation of whether the answer in hand is wrong. */
  readonly doubt: number;
  readonly threshold: number;
}

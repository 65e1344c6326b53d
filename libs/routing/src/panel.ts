import type { Answer, Flow, Panel, PolicySnapshot, SparseRow } from '@sluice/domain';
import { emptyRow, joined, logit } from './heads.ts';

/** What the answers of a panel add up to. */
export interface Fused {
  /** The most probable label; of equals the first. */
  readonly label: number;
  /** Its posterior probability. */
  readonly confidence: number;
  /** Of every label; adds up to 1. */
  readonly posterior: Float64Array;
}

/** What fixes the width of a panel's weights. */
export interface PanelShape {
  readonly signatureWidth: number;
  readonly labels: number;
}

/** Columns a confidence becomes: itself, its logit, and how far it lies beyond each of three knots. */
const confidenceColumns = 5;

/** As in the rows of heads. */
const confidenceClip = 1e-4;
const logitScale = 4.6;

/** Columns of the fused answer before its posterior: confidence, logit of it, entropy. */
const fusedColumns = 3;

/** Weights of a posterior: the labels' own, and for each tier label x label for what it says and label x confidence for how surely. */
export function votesWidth(tiers: number, labels: number): number {
  return labels + tiers * labels * (labels + confidenceColumns);
}

/** Weights of a risk head of a panel: signature, fused answer, and for each tier label x (1, confidence). */
export function panelWidth({ signatureWidth, labels }: PanelShape, tiers: number): number {
  return signatureWidth + fusedColumns + labels + tiers * labels * (1 + confidenceColumns);
}

/** The policy's panel of exactly the tiers that answered; undefined when there is none, or none of the flow's shape. */
export function panelOf(policy: PolicySnapshot, flow: Flow, answers: readonly Answer[]): Panel | undefined {
  const labels = flow.labels.length;
  if (answers.some(({ label }) => label < 0 || label >= labels)) return undefined;
  return policy.panels.find(
    ({ tiers, votes }) =>
      tiers.length === answers.length &&
      tiers.every((tier) => answers.some((answer) => answer.tier === tier)) &&
      votes.length === votesWidth(tiers.length, labels),
  );
}

/** Where loss comes first, risk is harm and heavy's word ends the matter; where a budget does, risk is any wrong answer. */
export function isLossFirst({ target }: Flow): boolean {
  return target.primary === 'loss';
}

/** One tier's vote: which block of weights it has, what it says, and how surely. */
export interface Ballot {
  /** First weight of its block. */
  readonly at: number;
  readonly label: number;
  readonly sureness: readonly number[];
}

/** The answers as ballots, in the order of the panel's tiers, whatever order they ran in. */
export function ballotsOf(tiers: readonly string[], answers: readonly Answer[], labels: number): Ballot[] {
  return tiers.map((tier, index) => {
    const { label, confidence } = answers.find((answer) => answer.tier === tier)!;
    return { at: labels + index * labels * (labels + confidenceColumns), label, sureness: surenessOf(confidence) };
  });
}

/** First weight for how surely the ballot's label is given. */
export function surenessAt({ at, label }: Ballot, labels: number): number {
  return at + labels * labels + label * confidenceColumns;
}

/**
 * Posterior over the labels: softmax of `prior[l] + sum over ballots of said[label, l]`, plus, for a ballot's own label, the weights of its
 * sureness. A log-linear pool (Genest and Zidek 1986) whose weights know that tiers err together, since each panel has its own.
 */
export function fuse(votes: Float32Array, ballots: readonly Ballot[], labels: number): Fused {
  const scores = new Float64Array(labels);
  for (let label = 0; label < labels; label++) scores[label] = votes[label]!;
  for (const ballot of ballots) {
    const said = ballot.at + ballot.label * labels;
    for (let label = 0; label < labels; label++) scores[label]! += votes[said + label]!;
    const sure = surenessAt(ballot, labels);
    for (let column = 0; column < confidenceColumns; column++) scores[ballot.label]! += votes[sure + column]! * ballot.sureness[column]!;
  }
  return softmax(scores);
}

function softmax(scores: Float64Array): Fused {
  let label = 0;
  for (let one = 1; one < scores.length; one++) if (scores[one]! > scores[label]!) label = one;
  const largest = scores[label]!;
  let sum = 0;
  for (let one = 0; one < scores.length; one++) sum += scores[one] = Math.exp(scores[one]! - largest);
  for (let one = 0; one < scores.length; one++) scores[one]! /= sum;
  return { label, confidence: scores[label]!, posterior: scores };
}

/** The row that the risk heads of a panel score, in memory of its own: the signature, then the columns of the panel. */
export function panelRow(signature: SparseRow, opinion: Opinion, shape: PanelShape): SparseRow {
  return joined(signature, panelColumns(opinion, shape));
}

/** What the answers say apart and together. */
export interface Opinion {
  readonly fused: Fused;
  readonly ballots: readonly Ballot[];
}

/** One row for each number of columns, made once and filled for each answer. */
const rows: SparseRow[] = [];

/** What the risk heads of a panel see after the signature; learner and decision both score these columns. Holds until the next call. */
export function panelColumns({ fused, ballots }: Opinion, { signatureWidth, labels }: PanelShape): SparseRow {
  const length = fusedColumns + labels + ballots.length * (1 + confidenceColumns);
  const row = (rows[length] ??= emptyRow(length));
  const { indices, values } = row;
  const [sure, sureLogit] = surenessOf(fused.confidence);
  values[0] = sure!;
  values[1] = sureLogit!;
  values[2] = entropyOf(fused.posterior) / Math.log(Math.max(2, labels));
  values.set(fused.posterior, fusedColumns);
  let at = fusedColumns + labels;
  for (let column = 0; column < at; column++) indices[column] = signatureWidth + column;
  for (let index = 0; index < ballots.length; index++) {
    const { label, sureness } = ballots[index]!;
    const block = signatureWidth + fusedColumns + labels + (index * labels + label) * (1 + confidenceColumns);
    values[at] = 1;
    values.set(sureness, at + 1);
    for (let column = 0; column <= confidenceColumns; column++) indices[at++] = block + column;
  }
  return row;
}

/** Straight lines between the knots take any calibration curve. */
function surenessOf(confidence: number): readonly number[] {
  const clipped = Math.min(1 - confidenceClip, Math.max(confidenceClip, confidence));
  return [clipped, logit(clipped) / logitScale, beyond(0.5, clipped), beyond(0.7, clipped), beyond(0.9, clipped)];
}

function beyond(knot: number, confidence: number): number {
  return Math.max(0, confidence - knot) / (1 - knot);
}

function entropyOf(posterior: Float64Array): number {
  let entropy = 0;
  for (const probability of posterior) if (probability > 0) entropy -= probability * Math.log(probability);
  return entropy;
}

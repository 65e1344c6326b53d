import type { Answer, Flow, Panel, SparseRow } from '@sluice/domain';
import {
  ballotsOf,
  fuse,
  isLossFirst,
  panelRow,
  panelWidth,
  surenessAt,
  votesWidth,
  type Ballot,
  type Fused,
  type PanelShape,
} from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { Foresight } from './foresight.ts';
import { OnlineHead } from './online-head.ts';

/** An event of which everything is known. */
export interface KnownCase {
  readonly signature: SparseRow;
  /** Of every tier of the flow. */
  readonly answers: readonly Answer[];
  readonly truth: number;
  /** 1 / (probability that all of it would be known), capped. */
  readonly weight: number;
}

/** The event seen by one panel: the ballots of its tiers and what they add up to. */
export interface Sitting {
  readonly ballots: readonly Ballot[];
  readonly fused: Fused;
  /** The row of the risk heads; undefined where there are none. */
  readonly row: SparseRow | undefined;
  /** What the risk heads say now; empty where there are none. */
  readonly risks: readonly number[];
}

/** Learns one panel: a posterior and its heads, event by event with AdaGrad. */
export class PanelLearner {
  readonly tiers: readonly string[];
  /** Tiers of the flow that are not in it: those `risks[1..]` are about. */
  readonly missing: readonly string[];
  readonly #shape: PanelShape;
  readonly #votes: OnlineHead;
  readonly #harm: OnlineHead;
  readonly #risks: readonly OnlineHead[];
  readonly #foresight: Foresight;

  constructor(tiers: readonly string[], flow: Flow, shape: PanelShape) {
    const { votes, row, harm, risks } = planOf(tiers, flow, shape);
    this.tiers = tiers;
    this.missing = flow.tiers.map(({ name }) => name).filter((name) => !tiers.includes(name));
    this.#shape = shape;
    this.#votes = OnlineHead.create(votes);
    this.#harm = OnlineHead.create(harm ? row : 0);
    this.#risks = Array.from({ length: risks }, () => OnlineHead.create(row));
    this.#foresight = new Foresight(risks === 0 ? 0 : this.missing.length);
  }

  read(from: ByteReader): void {
    for (const head of this.#heads) head.restore(from);
    this.#foresight.read(from);
  }

  write(to: ByteWriter): void {
    for (const head of this.#heads) head.write(to);
    this.#foresight.write(to);
  }

  publish(): Panel {
    const weights = (head: OnlineHead): Float32Array => head.weights.slice();
    const { tiers } = this;
    const gains = this.#foresight.publish();
    return { tiers, votes: weights(this.#votes), harm: weights(this.#harm), risks: this.#risks.map(weights), gains };
  }

  sit({ signature, answers }: KnownCase): Sitting {
    const ballots = ballotsOf(this.tiers, answers, this.#shape.labels);
    const fused = fuse(this.#votes.weights, ballots, this.#shape.labels);
    const row = this.#risks.length > 0 ? panelRow(signature, { fused, ballots }, this.#shape) : undefined;
    return { ballots, fused, row, risks: row === undefined ? [] : this.#risks.map((head) => head.predict(row)) };
  }

  /** @param then the sittings of the panels with one tier more, in the order of `missing`. */
  foresee(sitting: Sitting, then: readonly Sitting[]): void {
    if (sitting.risks.length > 0)
      this.#foresight.observe(
        sitting.risks,
        then.map(({ risks }) => risks),
      );
  }

  /** @param risks whether serving would have gone wrong: now, and after each of the missing tiers. */
  learn(known: KnownCase, sitting: Sitting, said: { readonly harm: boolean; readonly risks: readonly boolean[] }): void {
    const { row } = sitting;
    if (row !== undefined) {
      if (this.#harm.weights.length > 0) this.#harm.learn(row, said.harm ? 1 : 0, known.weight);
      this.#risks.forEach((head, index) => head.learn(row, said.risks[index] === true ? 1 : 0, known.weight));
    }
    this.#vote(known, sitting);
  }

  /** One step down the gradient of the log loss of the posterior. */
  #vote({ truth, weight }: KnownCase, { ballots, fused }: Sitting): void {
    const { labels } = this.#shape;
    for (let label = 0; label < labels; label++) {
      const slope = weight * (fused.posterior[label]! - (label === truth ? 1 : 0));
      this.#votes.nudge(label, slope);
      for (const ballot of ballots) {
        this.#votes.nudge(ballot.at + ballot.label * labels + label, slope);
        if (ballot.label === label) this.#nudgeSureness(ballot, slope);
      }
    }
  }

  #nudgeSureness(ballot: Ballot, slope: number): void {
    const sure = surenessAt(ballot, this.#shape.labels);
    for (let column = 0; column < ballot.sureness.length; column++) this.#votes.nudge(sure + column, slope * ballot.sureness[column]!);
  }

  get #heads(): readonly OnlineHead[] {
    return [this.#votes, this.#harm, ...this.#risks];
  }
}

/** Number of weights of a panel of these tiers. */
export function panelSize(tiers: readonly string[], flow: Flow, shape: PanelShape): number {
  const { votes, row, harm, risks } = planOf(tiers, flow, shape);
  return votes + row * (risks + (harm ? 1 : 0));
}

function planOf(tiers: readonly string[], flow: Flow, shape: PanelShape) {
  const final = tiers.includes(flow.tiers[flow.tiers.length - 1]!.name);
  const missing = flow.tiers.length - tiers.length;
  // Where loss comes first heavy's word is final: there is nothing to go on to.
  const ends = missing === 0 || (final && isLossFirst(flow));
  return {
    votes: votesWidth(tiers.length, shape.labels),
    row: panelWidth(shape, tiers.length),
    harm: !final && !isLossFirst(flow),
    risks: ends ? 0 : 1 + missing,
  };
}

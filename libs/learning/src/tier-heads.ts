import type { Flow, Head, SparseRow } from '@sluice/domain';
import { headRow, headWidth } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { DisagreementWatch } from './disagreement-watch.ts';
import type { Pair } from './evidence.ts';
import { HarmShare } from './harm-share.ts';
import { OnlineHead } from './online-head.ts';

/** Where a tier's heads stand: what the row of features is made of. */
export interface HeadShape {
  readonly signatureWidth: number;
  readonly labels: number;
}

interface TierParts {
  readonly route: OnlineHead;
  readonly stop: OnlineHead;
  readonly share: HarmShare;
  readonly watch: DisagreementWatch;
}

/** All that is learned about one light tier: its harm before and after it ran, how harmful its disagreements are, its alarm. */
export class TierHeads {
  readonly watch: DisagreementWatch;
  readonly #shape: HeadShape;
  readonly #route: OnlineHead;
  readonly #stop: OnlineHead;
  readonly #share: HarmShare;

  constructor(shape: HeadShape, parts: TierParts) {
    this.#shape = shape;
    this.#route = parts.route;
    this.#stop = parts.stop;
    this.#share = parts.share;
    this.watch = parts.watch;
  }

  static create(shape: HeadShape): TierHeads {
    const { signatureWidth, labels } = shape;
    return new TierHeads(shape, {
      route: OnlineHead.create(headWidth(signatureWidth, labels, 'route')),
      stop: OnlineHead.create(headWidth(signatureWidth, labels, 'stop')),
      share: new HarmShare(),
      watch: new DisagreementWatch(),
    });
  }

  static read(shape: HeadShape, from: ByteReader): TierHeads {
    return new TierHeads(shape, {
      route: OnlineHead.read(from),
      stop: OnlineHead.read(from),
      share: HarmShare.read(from),
      watch: DisagreementWatch.read(from),
    });
  }

  write(to: ByteWriter): void {
    this.#route.write(to);
    this.#stop.write(to);
    this.#share.write(to);
    this.watch.write(to);
  }

  /** The answer in hand, before any truth: a disagreement counts as the share of disagreements that were harm up to now. */
  compare(signature: SparseRow, pair: Pair): void {
    this.learn(signature, pair, pair.disagrees ? this.#share.value : 0);
  }

  learn(signature: SparseRow, pair: Pair, label: number): void {
    this.#route.learn(signature, label, pair.weight);
    this.#stop.learn(this.#row(signature, pair), label, pair.weight);
  }

  /** The truth about a pair that `compare` has learned: takes the guess back and puts the fact in its place. */
  correct(signature: SparseRow, pair: Pair, harm: boolean): void {
    if (!pair.disagrees) return;
    const slope = (this.#share.value - (harm ? 1 : 0)) * pair.weight;
    this.#route.shift(signature, slope);
    this.#stop.shift(this.#row(signature, pair), slope);
  }

  /** Only for disagreements whose truth is known. */
  observe(harm: boolean): void {
    this.#share.observe(harm);
  }

  /** What the heads say about a pair now: the tier's harm before it ran, and after. */
  predict(signature: SparseRow, pair: Pair): { readonly route: number; readonly stop: number } {
    return { route: this.#route.predict(signature), stop: this.#stop.predict(this.#row(signature, pair)) };
  }

  quicken(): void {
    this.#route.quicken();
    this.#stop.quicken();
  }

  publish(tier: string): Head[] {
    return [this.#route.publish(tier, 'route'), this.#stop.publish(tier, 'stop')];
  }

  #row(signature: SparseRow, pair: Pair): SparseRow {
    return headRow(signature, pair.answer, this.#shape.signatureWidth, this.#shape.labels);
  }
}

export function createTierHeads(flow: Flow, shape: HeadShape): TierHeads[] {
  return flow.tiers.slice(0, -1).map(() => TierHeads.create(shape));
}

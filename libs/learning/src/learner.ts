import { type Example, type Flow, type PolicySnapshot, SluiceError } from '@sluice/domain';
import { warmUp } from '@sluice/routing';
import { AuditPace } from './audit-pace.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { assumedCosts, Calibration } from './calibration.ts';
import { evidenceOf, isHarm, type Evidence, type Pair } from './evidence.ts';
import { HarmShare } from './harm-share.ts';
import { createCounts, readCounts, writeCounts, type LearnerCounts } from './learner-counts.ts';
import { OpenAudits } from './open-audits.ts';
import { RecentIds } from './recent-ids.ts';
import { RiskController, thetaStart } from './risk-controller.ts';
import { readShape, writeShape } from './state-shape.ts';
import { createTierHeads, TierHeads, type HeadShape } from './tier-heads.ts';

/** (id, part) pairs remembered against repeats, and audits kept open for their truth: 32 kB and at most 37 kB of state. */
const memory = { parts: 4096, audits: 3072 };

/** Warm-up waits for the shadow answers of as many events as it has, but not longer than this many times its length. */
const warmUpPatience = 10;

/** Events that the threshold of a flow without controller is calibrated on, half of them to train its heads. */
const staticEvents = 2000;

/** How far the calibrated start of control may lie from the default one; predicted harm of young heads deserves no more trust. */
const startReach = { below: 1, above: 2 };

/** A learner in figures, for reports and metrics. */
export interface LearnerStats extends Readonly<LearnerCounts> {
  readonly theta: number;
  /** Theta at which control began: theta_1 of the loss bound. */
  readonly thetaStart: number;
  readonly threshold: number;
  readonly heavyOnly: boolean;
  readonly reason: string;
  /** Sum of the doubly robust loss estimates, in events. */
  readonly estimatedLoss: number;
  /** Share of audited disagreements that turned out to be harm. */
  readonly rho: number;
  readonly auditRate: number;
}

export interface OpenInput {
  readonly signatureWidth: number;
  readonly costs?: readonly number[];
  /** The flow's policy as last published, if any. */
  readonly snapshot?: PolicySnapshot | undefined;
}

/**
 * Feedback folded into a policy (docs/routing.md 3b). Deterministic: equal examples in equal order give equal bytes, and a learner restored
 * from a snapshot goes on as if it had never stopped. An (id, part) that is folded twice counts once, as long as no more than 4,096 other parts lie
 * between; further apart the join keeps repeats away.
 */
export class Learner {
  readonly #flow: Flow;
  readonly #shape: HeadShape;
  readonly #controller: RiskController;
  readonly #pace: AuditPace;
  #counts = createCounts();
  #heads: TierHeads[];
  #share = new HarmShare();
  #recent = new RecentIds(memory.parts);
  #audits = new OpenAudits(memory.audits);
  /** Exactly while the flow warms up: heavy serves, and the first threshold is being chosen. */
  #calibration: Calibration | undefined;

  private constructor(flow: Flow, shape: HeadShape, costs?: readonly number[]) {
    this.#flow = flow;
    this.#shape = shape;
    this.#controller = new RiskController({ epsilon: flow.target.maxLoss, eta: flow.controller.gain });
    this.#pace = new AuditPace(flow.audit.rate);
    this.#heads = createTierHeads(flow, shape);
    const warms = flow.controller.warmUp > 0 || !flow.controller.enabled;
    this.#calibration = warms ? new Calibration(costs ?? assumedCosts(flow)) : undefined;
  }

  /**
   * A learner that has seen nothing.
   * @param signatureWidth columns of the flow's signature.
   * @param costs of each tier, heavy = 1; only the start after warm-up depends on them. Unknown: each tier a quarter of the next.
   */
  static create(flow: Flow, signatureWidth: number, costs?: readonly number[]): Learner {
    return new Learner(flow, { signatureWidth, labels: flow.labels.length }, costs);
  }

  /**
   * The learner that published `snapshot`.
   * @throws SluiceError SLUICE_AVRO_INVALID when its state is not readable or belongs to other tiers or labels than the flow's.
   */
  static restore(flow: Flow, snapshot: PolicySnapshot): Learner {
    try {
      return Learner.#read(flow, new ByteReader(snapshot.learner));
    } catch (cause) {
      if (cause instanceof SluiceError) throw cause;
      throw new SluiceError('SLUICE_AVRO_INVALID', `the learner's state in policy ${snapshot.version} of ${flow.flow} is not readable`, {
        cause,
      });
    }
  }

  /**
   * Restores where the snapshot fits the flow, else starts anew with a warm-up: after a change of tiers, labels or signature
   * nothing that was learned applies. Versions go on rising either way.
   */
  static open(flow: Flow, { signatureWidth, costs, snapshot }: OpenInput): Learner {
    if (snapshot === undefined || snapshot.learner.length === 0) return Learner.create(flow, signatureWidth, costs);
    try {
      const restored = Learner.restore(flow, snapshot);
      if (restored.#shape.signatureWidth === signatureWidth) return restored;
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
    }
    const fresh = Learner.create(flow, signatureWidth, costs);
    fresh.#counts.folded = snapshot.version;
    return fresh;
  }

  get stats(): LearnerStats {
    const { theta, thetaStart: start, threshold, estimatedLoss } = this.#controller;
    const reason = this.#reason;
    const heavyOnly = reason === warmUp || reason === 'safe-end';
    return {
      ...this.#counts,
      theta,
      thetaStart: start,
      threshold,
      heavyOnly,
      reason,
      estimatedLoss,
      rho: this.#share.value,
      auditRate: this.#auditRate,
    };
  }

  /** Applies one piece of feedback. */
  fold(example: Example): void {
    this.#counts.folded++;
    if (!this.#recent.add(`${example.part}:${example.id}`)) {
      this.#counts.duplicates++;
      return;
    }
    const evidence = evidenceOf(this.#flow, example);
    if (evidence.tier < 0) return;
    if (example.part === 'decision') this.#decide(example, evidence);
    else if (example.part === 'shadow') this.#compare(example, evidence);
    else this.#settle(example, evidence);
    if (this.#calibration !== undefined && this.#warm) this.#begin(this.#calibration);
  }

  /** @param examplesOffset offset in `<flow>.examples` after the last example folded. */
  snapshot(examplesOffset: number): PolicySnapshot {
    const { heavyOnly, reason, threshold, auditRate } = this.stats;
    return {
      flow: this.#flow.flow,
      version: this.#counts.folded,
      examplesOffset,
      threshold,
      heavyOnly,
      reason,
      auditRate,
      heads: this.#heads.flatMap((heads, tier) => heads.publish(this.#flow.tiers[tier]!.name)),
      learner: this.#write(),
    };
  }

  get #static(): boolean {
    return !this.#flow.controller.enabled;
  }

  /** A calibrated static policy learns nothing more. */
  get #frozen(): boolean {
    return this.#static && this.#calibration === undefined;
  }

  get #reason(): string {
    if (this.#calibration !== undefined) return warmUp;
    if (this.#static) return 'static';
    return this.#controller.atSafeEnd ? 'safe-end' : 'controlled';
  }

  /** Enough was seen to let light tiers serve. */
  get #warm(): boolean {
    if (this.#static) return this.#calibration!.seen >= staticEvents;
    const { warmUp: events } = this.#flow.controller;
    const { decisions, shadows } = this.#counts;
    return decisions >= events && (shadows >= events || decisions >= events * warmUpPatience);
  }

  /** The end of warm-up: control starts where half the declared loss is predicted, a static flow stays where all of it was found. */
  #begin(calibration: Calibration): void {
    const { maxLoss } = this.#flow.target;
    const target = this.#static ? maxLoss : maxLoss / 2;
    const found = calibration.theta(this.#flow, target, this.#static ? 'realised' : 'predicted');
    const usual = thetaStart(maxLoss);
    const near = Math.min(usual + startReach.above, Math.max(usual - startReach.below, found ?? usual));
    this.#controller.start(this.#static ? (found ?? usual) : near);
    this.#calibration = undefined;
  }

  get #auditRate(): number {
    return this.#static ? this.#flow.audit.rate : this.#pace.published;
  }

  #decide(example: Example, evidence: Evidence): void {
    const { light, pairs } = evidence;
    this.#counts.decisions++;
    if (light) this.#counts.lightServed++;
    if (this.#static) return;
    this.#pace.served(light ? example.harm : undefined);
    this.#controller.served(light ? example.harm : 0);
    for (const pair of pairs) if (pair.served) this.#heads[pair.tier]!.compare(example.signature, pair);
  }

  #compare(example: Example, evidence: Evidence): void {
    const { light, compared, pairs } = evidence;
    if (!compared) return;
    this.#counts.shadows++;
    if (this.#static) return;
    if (light) this.#audit(example, evidence);
    this.#rehearse(example, evidence);
    for (const pair of pairs) if (!pair.served) this.#heads[pair.tier]!.compare(example.signature, pair);
  }

  /** The shadow part of an audited, lightly served event: disagreement instead of the prediction. */
  #audit(example: Example, { tier, answer, heavy, probability }: Evidence): void {
    const disagreed = answer!.label !== heavy!.label;
    const rho = this.#share.value;
    this.#controller.correct(((disagreed ? rho : 0) - example.harm) / probability);
    this.#audits.open(example.id, rho);
    if (!this.#heads[tier]!.watch.observe(disagreed, example.harm)) return;
    this.#counts.alarms++;
    this.#controller.alarm();
    this.#pace.alarm();
    this.#heads[tier]!.quicken();
  }

  /** Truth came, or will not come any more. */
  #settle(example: Example, evidence: Evidence): void {
    if (example.part === 'truth') this.#counts.truths++;
    else this.#counts.unlabelled++;
    if (this.#frozen) return;
    if (this.#static) {
      this.#settleStatic(example, evidence);
      return;
    }
    if (evidence.light && evidence.audited) this.#settleAudit(example, evidence);
    for (const pair of evidence.pairs) this.#settlePair(example, evidence, pair);
  }

  /** The last part of an audited, lightly served event: the truth instead of the disagreement. */
  #settleAudit(example: Example, { answer, heavy, compared, probability }: Evidence): void {
    if (answer === undefined || (heavy === undefined && example.truth === null)) {
      this.#counts.auditsLost++;
      return;
    }
    // Where heavy never answered, "wrong" bounds "wrong where heavy is right" from above.
    const harm = heavy === undefined ? answer.label !== example.truth : isHarm(answer, heavy, example.truth);
    const disagreed = heavy !== undefined && answer.label !== heavy.label;
    const rho = this.#audits.close(example.id) ?? this.#share.value;
    const before = compared ? (disagreed ? rho : 0) : example.harm;
    this.#controller.correct(((harm ? 1 : 0) - before) / probability);
    if (disagreed && example.truth !== null) this.#share.observe(harm);
  }

  #settlePair({ signature, truth }: Example, { heavy, compared }: Evidence, pair: Pair): void {
    const heads = this.#heads[pair.tier]!;
    const harm = isHarm(pair.answer, heavy!, truth);
    if (pair.served || compared) heads.correct(signature, pair, harm);
    else heads.learn(signature, pair, harm ? 1 : 0);
    if (pair.disagrees && truth !== null) heads.observe(harm);
  }

  /** During warm-up: notes what the heads say before they learn from it. */
  #rehearse({ signature, truth }: Example, { heavy, pairs }: Evidence): void {
    if (this.#calibration === undefined || pairs.length < this.#heads.length) return;
    const said = pairs.map((pair) => this.#heads[pair.tier]!.predict(signature, pair));
    const harmed = pairs.map((pair) => isHarm(pair.answer, heavy!, truth));
    this.#calibration.add({ route: said.map(({ route }) => route), stop: said.map(({ stop }) => stop), harmed });
  }

  /** A flow without controller learns at leisure: only from what is settled, and only until its threshold is chosen. */
  #settleStatic(example: Example, evidence: Evidence): void {
    this.#rehearse(example, evidence);
    for (const pair of evidence.pairs) {
      const harm = isHarm(pair.answer, evidence.heavy!, example.truth);
      this.#heads[pair.tier]!.learn(example.signature, pair, harm ? 1 : 0);
    }
  }

  #write(): Uint8Array {
    const to = new ByteWriter();
    writeShape(to, this.#flow, this.#shape);
    writeCounts(this.#counts, to);
    this.#controller.write(to);
    this.#pace.write(to);
    this.#share.write(to);
    for (const heads of this.#heads) heads.write(to);
    this.#recent.write(to);
    this.#audits.write(to);
    to.u8(this.#calibration === undefined ? 0 : 1);
    this.#calibration?.write(to);
    return to.done();
  }

  static #read(flow: Flow, from: ByteReader): Learner {
    const shape = readShape(from, flow);
    const learner = new Learner(flow, shape);
    learner.#counts = readCounts(from);
    learner.#controller.read(from);
    learner.#pace.read(from);
    learner.#share = HarmShare.read(from);
    learner.#heads = learner.#heads.map(() => TierHeads.read(shape, from));
    learner.#recent = RecentIds.read(from, memory.parts);
    learner.#audits = OpenAudits.read(from, memory.audits);
    learner.#calibration = from.u8() === 1 ? Calibration.read(from) : undefined;
    if (!from.ended) throw new RangeError('bytes follow the state');
    return learner;
  }
}

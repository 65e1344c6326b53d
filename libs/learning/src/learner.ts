import { type CertifiedLoss, type Example, type Flow, type PolicySnapshot, SluiceError } from '@sluice/domain';
import { ByteReader, ByteWriter } from './bytes.ts';
import { evidenceOf, isHarm, lastWordOf, type Evidence, type Pair } from './evidence.ts';
import { createParts, readParts, writeParts, type LearnerParts } from './learner-parts.ts';
import type { LearnerStats } from './learner-stats.ts';
import { isLabelled } from './labelled-sample.ts';
import { settledHarm } from './loss-estimate.ts';
import { allowanceOf, allowedHarm, logThresholdOfLoss, segmentPoliciesOf, stanceOf } from './stance.ts';
import { Study } from './study.ts';

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
  readonly #parts: LearnerParts;
  /** As in the snapshot. */
  readonly #heard: number[];
  readonly #study: Study;

  private constructor(flow: Flow, parts: LearnerParts, heard: readonly number[] = []) {
    this.#flow = flow;
    this.#parts = parts;
    this.#heard = [...heard];
    this.#study = new Study(flow, parts);
  }

  /**
   * A learner that has seen nothing.
   * @param signatureWidth columns of the flow's signature.
   * @param costs of each tier, heavy = 1; only the start after warm-up depends on them. Unknown: each tier a quarter of the next.
   */
  static create(flow: Flow, signatureWidth: number, costs?: readonly number[]): Learner {
    return new Learner(flow, createParts(flow, { signatureWidth, labels: flow.labels.length }, costs));
  }

  /**
   * The learner that published `snapshot`.
   * @throws SluiceError SLUICE_AVRO_INVALID when its state is not readable or belongs to other tiers or labels than the flow's.
   */
  static restore(flow: Flow, snapshot: PolicySnapshot): Learner {
    try {
      return new Learner(flow, readParts(new ByteReader(snapshot.learner), flow), snapshot.heard);
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
      if (restored.#parts.shape.signatureWidth === signatureWidth) return restored;
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
    }
    const fresh = Learner.create(flow, signatureWidth, costs);
    fresh.#parts.counts.folded = snapshot.version;
    fresh.#heard.push(...snapshot.heard);
    return fresh;
  }

  get stats(): LearnerStats {
    const { counts, controller, loss, vigilance, confidences } = this.#parts;
    const { theta, start: thetaStart, estimatedLoss } = controller;
    return {
      ...counts,
      ...stanceOf(this.#flow, this.#parts),
      theta,
      thetaStart,
      estimatedLoss,
      rho: loss.share.value,
      caution: vigilance.caution,
      confidence: confidences.map(({ error }) => error),
      segments: this.#parts.segments?.stats ?? [],
    };
  }

  /** The loss since control began or the latest alarm, with its anytime-valid interval (docs/routing.md 3d). */
  get certificate(): CertifiedLoss {
    return this.#parts.certificate.loss;
  }

  /** Applies one piece of feedback. */
  fold(example: Example): void {
    const { counts, recent } = this.#parts;
    counts.folded++;
    if (!recent.add(`${example.part}:${example.id}`)) {
      counts.duplicates++;
      return;
    }
    const evidence = evidenceOf(this.#flow, example);
    if (isLabelled(example)) this.#study.sample(example, evidence);
    else if (evidence.tier < 0) return;
    else this.#hear(example, evidence);
    this.#parts.anchor.advance(counts, logThresholdOfLoss(this.#parts), allowanceOf(this.#flow, this.#parts));
  }

  /** @param examplesOffset offset in `<flow>.examples` after the last example folded. */
  snapshot(examplesOffset: number): PolicySnapshot {
    const { heavyOnly, reason, threshold, auditRate } = stanceOf(this.#flow, this.#parts);
    const learner = new ByteWriter();
    writeParts(learner, this.#flow, this.#parts);
    return {
      flow: this.#flow.flow,
      version: this.#parts.counts.folded,
      examplesOffset,
      threshold,
      heavyOnly,
      reason,
      auditRate,
      heads: this.#parts.heads.flatMap((heads, tier) => heads.publish(this.#flow.tiers[tier]!.name)),
      panels: this.#parts.fusion.publish(),
      learner: learner.done(),
      certificate: this.#parts.anchor.warming ? null : this.certificate,
      budgetLeft: this.#flow.target.primary === 'budget' ? (this.#parts.budget?.remaining ?? null) : null,
      segments: segmentPoliciesOf(this.#parts),
      heard: [...this.#heard],
    };
  }

  #hear(example: Example, evidence: Evidence): void {
    this.#note(example);
    if (example.part === 'decision') this.#decide(example, evidence);
    if (example.part === 'shadow') this.#compare(example, evidence);
    const last = lastWordOf(this.#flow, example, evidence);
    if (last !== undefined) this.#settle(last, evidence);
  }

  #note({ source }: Example): void {
    if (source === null) return;
    const { partition, offset } = source;
    while (this.#heard.length <= partition) this.#heard.push(0);
    this.#heard[partition] = Math.max(this.#heard[partition]!, offset + 1);
  }

  get #static(): boolean {
    return !this.#flow.controller.enabled;
  }

  #decide(example: Example, evidence: Evidence): void {
    const { light, overruled, audited, probability, pairs } = evidence;
    const { counts, pace, vigilance, controller, certificate, heads, anchor } = this.#parts;
    counts.decisions++;
    // A warning, no more: the threshold answers to losses.
    if (this.#parts.shift.observe(example.signature)) counts.shifts++;
    if (light) counts.lightServed++;
    if (!anchor.warming) certificate.served(example.id, light ? probability : 1, light && audited);
    if (this.#static) return;
    this.#parts.budget?.served(example.cost + this.#shadowCost(example));
    vigilance.served();
    // Heavy spoke already: its word on the answer is in, and no audit was needed for it.
    if (overruled && !anchor.warming) certificate.compared(example.id, true);
    if (light && !overruled) pace.served(example.harm);
    const allowed = allowedHarm(this.#flow, this.#parts);
    controller.served(light ? example.harm : 0, allowed);
    this.#parts.segments?.served(example.segment, light ? example.harm : 0, allowed);
    if (light) anchor.predicted(example.harm);
    if (pairs.every((pair) => pair.served)) this.#study.rehearse(example, evidence);
    for (const pair of pairs) if (pair.served) heads[pair.tier]!.compare(example.signature, pair);
  }

  /** Of the tiers that an audited event still has to run on. */
  #shadowCost({ audit, answers }: Example): number {
    if (!audit.drawn) return 0;
    const ran = new Set(answers.map(({ tier }) => tier));
    return this.#flow.tiers.reduce((sum, { name }, tier) => sum + (ran.has(name) ? 0 : this.#parts.anchor.costs[tier]!), 0);
  }

  #compare(example: Example, evidence: Evidence): void {
    const { light, overruled, compared, pairs } = evidence;
    if (!compared) return;
    this.#parts.counts.shadows++;
    if (this.#static) return;
    if (light && !overruled) this.#audit(example, evidence);
    this.#study.rehearse(example, evidence);
    for (const pair of pairs) if (!pair.served) this.#parts.heads[pair.tier]!.compare(example.signature, pair);
  }

  /** The shadow part of an audited, lightly served event. */
  #audit(example: Example, evidence: Evidence): void {
    const { heads, loss, certificate } = this.#parts;
    const disagreed = evidence.served !== evidence.heavy!.label;
    this.#correct(example, loss.compared(example, evidence));
    certificate.compared(example.id, disagreed);
    if (heads[evidence.tier]!.watch.observe(disagreed, example.harm)) this.#alarm(evidence.tier);
  }

  #alarm(tier: number): void {
    const { counts, vigilance, certificate, heads } = this.#parts;
    counts.alarms++;
    vigilance.alarm();
    certificate.restart();
    heads[tier]!.quicken();
    this.#parts.confidences[tier]!.quicken();
  }

  /** Truth came, or will not come any more. */
  #settle(example: Example, evidence: Evidence): void {
    const { counts, anchor } = this.#parts;
    if (example.truth === null) counts.unlabelled++;
    else counts.truths++;
    if (example.truth !== null && this.#flow.feedback.mode === 'truth') this.#calibrate(evidence, example.truth);
    if (example.truth !== null) this.#study.weighHeavy(evidence, example.truth);
    if (evidence.light && evidence.audited) this.#settleAudit(example, evidence);
    // A calibrated static policy learns nothing more.
    if (this.#static && anchor.warming) this.#study.learnKnown(example, evidence);
    if (this.#static) return;
    for (const pair of evidence.pairs) this.#settlePair(example, evidence, pair);
    this.#study.weighTogether(example, evidence);
  }

  #calibrate({ given }: Evidence, truth: number): void {
    for (const { tier, confidence, label } of given) {
      this.#parts.confidences[this.#flow.tiers.findIndex(({ name }) => name === tier)]?.observe(confidence, label === truth);
    }
  }

  #settleAudit(example: Example, evidence: Evidence): void {
    const { counts, loss, certificate } = this.#parts;
    const harmed = settledHarm(example, evidence);
    // What nobody will ever know counts as harm where a promise is certified, and as predicted where the threshold is moved.
    certificate.settled(example.id, harmed ?? true);
    this.#holdPromise();
    if (harmed === undefined) counts.auditsLost++;
    else if (!this.#static) this.#correct(example, loss.settled(example, evidence, harmed));
  }

  /** The loss is above the declared one beyond doubt: control begins again from its safe end. */
  #holdPromise(): void {
    const { controller, certificate, counts, heavyError } = this.#parts;
    if (this.#static || !certificate.broken(allowedHarm(this.#flow, this.#parts, heavyError.lower))) return;
    counts.broken++;
    controller.exhaust();
    certificate.restart();
  }

  #correct({ segment }: Example, part: number): void {
    this.#parts.controller.correct(part);
    this.#parts.segments?.correct(segment, part);
    this.#parts.anchor.corrected(part);
  }

  #settlePair({ signature, truth }: Example, { heavy, compared }: Evidence, pair: Pair): void {
    const heads = this.#parts.heads[pair.tier]!;
    const harm = isHarm(pair.answer.label, heavy!, truth);
    if (pair.served || compared) heads.correct(signature, pair, harm);
    else heads.learn(signature, pair, harm ? 1 : 0);
    if (pair.disagrees && truth !== null) heads.observe(harm);
  }
}

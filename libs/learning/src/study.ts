import type { Example, Flow, Head } from '@sluice/domain';
import { isHarm, type Evidence } from './evidence.ts';
import type { LearnerParts } from './learner-parts.ts';
import { allowanceOf, logThresholdOfLoss } from './stance.ts';

/** What is learned from events of which everything is known: heads, panels, and what the anchor is chosen by. It moves no account. */
export class Study {
  readonly #flow: Flow;
  readonly #parts: LearnerParts;

  constructor(flow: Flow, parts: LearnerParts) {
    this.#flow = flow;
    this.#parts = parts;
  }

  /** A labelled sample teaches the heads. It moves no account: theta, certificate and calibration error speak of events that were served. */
  sample(example: Example, evidence: Evidence): void {
    if (!this.#flow.controller.enabled && !this.#parts.anchor.warming) return;
    this.weighHeavy(evidence, example.truth!);
    this.learnKnown(example, evidence);
    for (const { tier, answer, disagrees } of evidence.pairs) {
      if (disagrees) this.#parts.heads[tier]!.observe(isHarm(answer.label, evidence.heavy!, example.truth));
    }
    this.weighTogether(example, evidence);
  }

  weighHeavy({ heavy, given, probability }: Evidence, truth: number): void {
    if (heavy !== undefined) this.#parts.heavyError.observe(heavy.label !== truth, given.includes(heavy) ? 1 : 1 / probability);
  }

  /** Notes what the heads say of an event that every tier answered, before they learn from it. */
  rehearse({ signature, answers, truth }: Example, { heavy, pairs, probability }: Evidence): void {
    const { anchor, heads, fusion } = this.#parts;
    if (pairs.length < heads.length) return;
    const said = pairs.map((pair) => heads[pair.tier]!.predict(signature, pair));
    const harmed = pairs.map((pair) => isHarm(pair.answer.label, heavy!, truth));
    const weight = 1 / probability;
    const publish = (): Head[] => heads.flatMap((one, tier) => one.publish(this.#flow.tiers[tier]!.name));
    fusion.rehearse({ signature, answers, weight, heads: publish, costs: anchor.costs });
    anchor.add({ route: said.map(({ route }) => route), stop: said.map(({ stop }) => stop), harmed, weight });
  }

  /** Panels learn only from events of which every answer and the truth are known. */
  weighTogether({ signature, answers, truth }: Example, { pairs }: Evidence): void {
    const { fusion, heads, anchor } = this.#parts;
    // Complaints are of wrong answers: who learned from them alone would overrule the right ones.
    if (truth === null || this.#flow.feedback.mode !== 'truth' || pairs.length < heads.length) return;
    const wasFusing = fusion.curve !== undefined;
    fusion.learn({ signature, answers, truth, weight: Math.max(...pairs.map(({ weight }) => weight)) });
    if (!wasFusing && fusion.curve !== undefined) anchor.replan(logThresholdOfLoss(this.#parts), allowanceOf(this.#flow, this.#parts));
  }

  /** From an event of which everything is known. A flow without controller learns only so, and only until its threshold is chosen. */
  learnKnown(example: Example, evidence: Evidence): void {
    this.rehearse(example, evidence);
    for (const pair of evidence.pairs) {
      const harm = isHarm(pair.answer.label, evidence.heavy!, example.truth);
      this.#parts.heads[pair.tier]!.learn(example.signature, pair, harm ? 1 : 0);
    }
  }
}

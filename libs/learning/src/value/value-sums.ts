import { EstimateSums, type Estimates } from './estimate.ts';

/** What a candidate would have lost and cost on a log, and how far the log supports saying so. */
export interface PolicyValue {
  readonly events: number;
  /** Events of which every tier's answer is known, audited or because all ran. */
  readonly known: number;
  /** Audits drawn whose answers never came: as predicted. */
  readonly lost: number;
  /** Share of events for which the candidate's way is known from the answers that ran anyway. */
  readonly followed: number;
  /** Number of equally weighted events that would say as much. */
  readonly effectiveSamples: number;
  /** Share of events that heavy would have got right and the candidate wrong. */
  readonly loss: Estimates;
  /** Mean cost per event, heavy = 1, expected audits included. */
  readonly cost: Estimates;
  /** Why the estimates should not be relied on; empty where they may. */
  readonly doubts: readonly string[];
}

export interface Outcome {
  /** Predicted where the truth is not known, else 0 or 1. */
  readonly harm: number;
  readonly cost: number;
}

/** One event as the candidate would have served it. */
export interface ValuedEvent {
  /** With which every tier's answer would become known, fixed before it was drawn. */
  readonly probability: number;
  readonly drawn: boolean;
  /** From what is known without the audit; undefined when the candidate asks a tier that did not run. */
  readonly predicted: Outcome | undefined;
  /** From all answers and the truth; undefined where they are not known. */
  readonly actual: Outcome | undefined;
}

/** Fewer equally weighted events than this say little about a loss of one in a hundred. */
const fewestSamples = 200;

/** Folds the events of a log into estimates of a candidate's value. */
export class ValueSums {
  readonly #loss = new EstimateSums(1);
  readonly #cost: EstimateSums;
  /** What to expect where the candidate's way is not known: what came of such events before. */
  readonly #usual = { harm: new RunningMean(0), cost: new RunningMean(1) };
  #events = 0;
  #known = 0;
  #lost = 0;
  #followed = 0;

  /** @param dearest what an event can cost at most, heavy = 1: every tier once. */
  constructor(dearest: number) {
    this.#cost = new EstimateSums(dearest);
  }

  add({ probability: logged, drawn, predicted, actual }: ValuedEvent): void {
    const probability = Math.min(1, Math.max(1e-6, logged));
    const known = drawn && actual !== undefined;
    this.#events++;
    if (known) this.#known++;
    else if (drawn) this.#lost++;
    if (predicted !== undefined) this.#followed++;
    const audit = { probability, known };
    this.#loss.add({ ...audit, actual: actual?.harm ?? 0, predicted: predicted?.harm ?? this.#usual.harm.value });
    this.#cost.add({ ...audit, actual: actual?.cost ?? 0, predicted: predicted?.cost ?? this.#usual.cost.value });
    if (!known || predicted !== undefined) return;
    this.#usual.harm.add(actual.harm, 1 / probability);
    this.#usual.cost.add(actual.cost, 1 / probability);
  }

  get value(): PolicyValue {
    const counts = { events: this.#events, known: this.#known, lost: this.#lost, followed: this.#followed / Math.max(1, this.#events) };
    const { effectiveSamples, estimates: loss } = this.#loss;
    return { ...counts, effectiveSamples, loss, cost: this.#cost.estimates, doubts: this.#doubts(effectiveSamples, loss) };
  }

  #doubts(effectiveSamples: number, { ips, dr }: Estimates): string[] {
    const doubts: string[] = [];
    if (effectiveSamples < fewestSamples)
      doubts.push(`the log says no more than ${effectiveSamples.toFixed(0)} equally weighted events would`);
    if (this.#lost > this.#known / 10) doubts.push(`of ${this.#known + this.#lost} audits ${this.#lost} were never answered`);
    if (ips.lower > dr.upper || dr.lower > ips.upper) doubts.push('inverse propensity and doubly robust estimate lie apart');
    return doubts;
  }
}

/** Weighted mean of what came before, so that it may predict what comes next. */
class RunningMean {
  #sum: number;
  #weight = 1;

  constructor(first: number) {
    this.#sum = first;
  }

  get value(): number {
    return this.#sum / this.#weight;
  }

  add(value: number, weight: number): void {
    this.#sum += value * weight;
    this.#weight += weight;
  }
}

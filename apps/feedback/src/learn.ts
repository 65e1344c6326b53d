import { decodeExample, encodePolicy, policyTopic } from '@sluice/contracts';
import type { Flow, PolicySnapshot } from '@sluice/domain';
import { Learner, type LearnerStats } from '@sluice/learning';
import type { InRecord, OutRecord, Processor } from '@sluice/streaming';

export interface LearnOptions {
  readonly signatureWidth: number;
  /** Cost of each tier relative to heavy. */
  readonly costs: readonly number[];
  /** What was published in the transaction that committed the last examples. */
  readonly last: PolicySnapshot | undefined;
}

/**
 * Folds examples in log order and publishes the policy after every slice, in the transaction that commits the slice:
 * the last published snapshot and the committed offset always describe the same point of the log.
 */
export class LearnProcessor implements Processor {
  readonly #flow: Flow;
  readonly #options: LearnOptions;
  #learner: Learner;
  /** Snapshot of the last committed point: an aborted slice falls back to it. */
  #committed: PolicySnapshot | undefined;
  #pending: PolicySnapshot | undefined;

  constructor(flow: Flow, options: LearnOptions) {
    this.#flow = flow;
    this.#options = options;
    this.#committed = options.last;
    this.#learner = this.#opened();
  }

  get stats(): LearnerStats {
    return this.#learner.stats;
  }

  process(slice: readonly InRecord[]): readonly OutRecord[] {
    for (const record of slice) this.#learner.fold(decodeExample(record.value!));
    const last = slice.at(-1)!;
    this.#pending = this.#learner.snapshot(last.offset + 1);
    return [{ topic: policyTopic, partition: 0, key: Buffer.from(this.#flow.flow), value: encodePolicy(this.#pending), from: last }];
  }

  committed(): void {
    this.#committed = this.#pending;
  }

  aborted(): void {
    this.#learner = this.#opened();
  }

  #opened(): Learner {
    const { signatureWidth, costs } = this.#options;
    return Learner.open(this.#flow, { signatureWidth, costs, ...(this.#committed && { snapshot: this.#committed }) });
  }
}

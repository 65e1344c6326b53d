import { decodePrediction, header, headerText, policyTopic, readDeadLetter, readPolicies, topicsOf } from '@sluice/contracts';
import type { Clock, Flow, PolicySnapshot, Prediction } from '@sluice/domain';
import type { LearnerStats } from '@sluice/learning';
import type { InRecord } from '@sluice/streaming';
import { learnerStats } from './learned.ts';

/** What the reader of the committed topics has seen so far: everything the view and the report show. */
export interface Seen {
  readonly predictions: Map<string, Prediction>;
  /** Milliseconds from request to reader, one a prediction in order of arrival. */
  readonly latencies: number[];
  readonly deadLetters: Map<string, number>;
  readonly policies: Map<number, PolicySnapshot>;
  readonly shadow: { audits: number };
  /** Dead letters of requests (not of outcomes), by class. */
  refused: number;
  dropped: number;
  latestPolicy: PolicySnapshot | undefined;
  firstAt: number;
  lastAt: number;
}

/** Folds records of `<flow>.predictions`, `<flow>.dead-letters` and the policy topic as a consumer of them would. */
export class Collector {
  readonly seen: Seen = {
    predictions: new Map(),
    latencies: [],
    deadLetters: new Map(),
    policies: new Map(),
    shadow: { audits: 0 },
    refused: 0,
    dropped: 0,
    latestPolicy: undefined,
    firstAt: 0,
    lastAt: 0,
  };
  readonly topics: readonly string[];
  readonly #flow: string;
  readonly #clock: Clock;
  /** Restored once per policy. */
  #glance: { readonly policy: PolicySnapshot; readonly stats: LearnerStats | undefined } | undefined;
  #wake: (() => void) | undefined;

  constructor(flow: string, clock: Clock) {
    const topics = topicsOf(flow);
    this.#flow = flow;
    this.#clock = clock;
    this.topics = [topics.predictions, topics.deadLetters, policyTopic];
  }

  /** Requests that have their one answer: a prediction or a dead letter. */
  get answered(): number {
    return this.seen.predictions.size + this.seen.refused + this.seen.dropped;
  }

  /** The learner in figures, as of the latest policy. */
  learner(flow: Flow): LearnerStats | undefined {
    const { latestPolicy: latest } = this.seen;
    if (latest !== undefined && latest !== this.#glance?.policy) this.#glance = { policy: latest, stats: learnerStats(flow, latest) };
    return this.#glance?.stats;
  }

  add(records: readonly InRecord[]): void {
    const now = this.#clock.now();
    for (const record of records) {
      if (record.topic === policyTopic) this.#policy(record);
      else if (record.topic.endsWith('.predictions')) this.#prediction(record, now);
      else this.#deadLetter(record);
    }
    this.#wake?.();
  }

  /** Resolves when `done` holds, looking again after every batch of records; false when `timeoutMs` passes first. */
  async until(done: () => boolean, timeoutMs: number): Promise<boolean> {
    const end = this.#clock.now() + timeoutMs;
    while (!done()) {
      const left = end - this.#clock.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 250));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }

  #prediction(record: InRecord, now: number): void {
    const prediction = decodePrediction(record.value!);
    this.seen.predictions.set(prediction.id, prediction);
    this.seen.latencies.push(now - prediction.requestedAt);
    if (prediction.audit.drawn && prediction.answers.length < prediction.slip.tiers.length) this.seen.shadow.audits++;
    if (this.seen.firstAt === 0) this.seen.firstAt = now;
    this.seen.lastAt = now;
  }

  #deadLetter(record: InRecord): void {
    const letter = readDeadLetter(record);
    this.seen.deadLetters.set(letter.code, (this.seen.deadLetters.get(letter.code) ?? 0) + 1);
    const origin = headerText(record.headers, header.origin) ?? '';
    if (!origin.startsWith(`${topicsOf(this.#flow).requests}/`)) return;
    const until = headerText(record.headers, header.until);
    if (until !== undefined) this.seen.dropped += Number(until) - letter.source.offset;
    else if (letter.class === 'drop') this.seen.dropped++;
    else this.seen.refused++;
  }

  #policy(record: InRecord): void {
    for (const policy of readPolicies([record], this.#flow)) {
      this.seen.policies.set(policy.version, policy);
      this.seen.latestPolicy = policy;
    }
  }
}

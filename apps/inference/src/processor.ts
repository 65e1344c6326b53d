import type { RequestSchemas } from '@sluice/contracts';
import {
  deadLetter,
  decodeTag,
  encodePrediction,
  encodeShadowAnswer,
  encodeTag,
  header,
  headerBytes,
  headerText,
  topicsOf,
} from '@sluice/contracts';
import {
  drilledLabel,
  SluiceError,
  toSluiceError,
  type WrongAnswers,
  type Answer,
  type Clock,
  type EpochMs,
  type Flow,
  type PolicySnapshot,
  type Tag,
  type TierSpec,
} from '@sluice/domain';
import { afterAnswer, escalatedTag, fallbackTag, servedPrediction, shadowTags } from '@sluice/routing';
import type { ModelServer, Urgency } from '@sluice/serving';
import type { Tally, TallyPart } from '@sluice/service';
import type { InRecord, OutRecord, Processor } from '@sluice/streaming';
import type { ModelBreaker } from './breaker.ts';

export interface WorkerParts {
  readonly flow: Flow;
  /** Columns of the flow's signature. */
  readonly signatureWidth: number;
  readonly tier: TierSpec;
  /** The model, or the cache before it. */
  readonly server: Pick<ModelServer, 'infer'>;
  readonly schemas: RequestSchemas;
  /** The policy to decide by at that time. */
  readonly policy: (now: EpochMs) => PolicySnapshot;
  readonly clock: Clock;
  readonly drill?: WrongAnswers;
  /** Left out for the heavy tier, which nothing could stand in for. */
  readonly breaker?: ModelBreaker;
  readonly answered: Tally<'fate'>;
}

interface Job {
  readonly record: InRecord;
  readonly tag: Tag;
  readonly start: number;
}

/**
 * Runs one tier over one partition of its model topic and carries out the slip: final answers, escalations, shadow
 * answers and audits of a slice leave in one transaction with its offsets.
 */
export class WorkerProcessor implements Processor {
  readonly #parts: WorkerParts;
  readonly #topics: ReturnType<typeof topicsOf>;
  readonly #answered: TallyPart<'fate'>;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#answered = parts.answered.part();
    this.#topics = topicsOf(parts.flow.flow);
  }

  async process(slice: readonly InRecord[]): Promise<readonly OutRecord[]> {
    const opened = slice.map((record) => this.#open(record));
    const jobs = opened.filter((entry): entry is Job => 'tag' in entry);
    const answers = await this.#infer(
      jobs.map(({ record, tag, start }) => ({ value: record.value!, schema: tag.schema, start })),
      this.#urgency(jobs),
    );
    // Both are read after inference: the newest policy at the record boundary, one stamp for the whole slice.
    const now = this.#parts.clock.now();
    const policy = this.#parts.policy(now);
    let next = 0;
    return opened.flatMap((entry) => ('tag' in entry ? this.#finish(entry, answers[next++]!, { policy, now }) : [entry]));
  }

  committed(): void {
    this.#answered.commit();
  }

  aborted(): void {
    this.#answered.rollback();
  }

  #infer(...call: Parameters<ModelServer['infer']>): ReturnType<ModelServer['infer']> {
    const { server, breaker } = this.#parts;
    return breaker === undefined ? server.infer(...call) : breaker.guard(call[0].length, () => server.infer(...call));
  }

  /** Nobody waits for shadow answers, so they press for nothing. */
  #urgency(jobs: readonly Job[]): Urgency {
    const waited = jobs.filter(({ tag }) => !tag.shadow);
    if (waited.length === 0) return {};
    const deadline = Math.min(...waited.map(({ tag }) => tag.deadlineAt));
    return { timeLeft: deadline - this.#parts.clock.now(), priority: Math.max(...waited.map(({ record }) => priorityOf(record))) };
  }

  #open(record: InRecord): Job | OutRecord {
    try {
      const bytes = headerBytes(record.headers, header.tag);
      if (bytes === undefined) throw new SluiceError('SLUICE_TAG_INVALID', 'the record has no sluice-tag header');
      return { record, tag: decodeTag(bytes), start: this.#parts.schemas.identify(record.value).start };
    } catch (thrown) {
      return this.#refuse(record, toSluiceError(thrown, 'SLUICE_TAG_INVALID'));
    }
  }

  #finish(job: Job, answer: Answer | SluiceError, at: { readonly policy: PolicySnapshot; readonly now: EpochMs }): readonly OutRecord[] {
    if (answer instanceof SluiceError) return this.#failed(job, answer, at.now);
    const { flow, signatureWidth, drill } = this.#parts;
    const given =
      drill === undefined ? answer : { ...answer, label: drilledLabel(job.tag.id, answer.label, { drill, labels: flow.labels.length }) };
    if (job.tag.shadow) return [this.#counted('shadow', this.#shadowAnswer(job, given))];
    const decision = afterAnswer({ flow, signatureWidth, tag: job.tag, policy: at.policy, answer: given, now: at.now });
    if (decision.kind === 'escalate') return [this.#counted('escalated', this.#forward(job, escalatedTag(job.tag, given, decision)))];
    const served = servedPrediction(flow, { tag: job.tag, answer: given, decision });
    const out: OutRecord = {
      topic: this.#topics.predictions,
      lane: job.record.partition,
      key: Buffer.from(served.id),
      value: encodePrediction(served),
      headers: { [header.origin]: job.record.headers[header.origin] },
      from: job.record,
    };
    return [this.#counted('served', out), ...shadowTags(job.tag, decision).map((tag) => this.#forward(job, tag))];
  }

  /** A light tier that fails hands the event to the heavy one; where there is no heavier tier it becomes a dead letter. */
  #failed(job: Job, error: SluiceError, now: EpochMs): readonly OutRecord[] {
    const next =
      error.code === 'SLUICE_MODEL_FAILED' && !job.tag.shadow
        ? fallbackTag(job.tag, { policyVersion: this.#parts.policy(now).version, now })
        : undefined;
    if (next !== undefined) return [this.#counted('fallback', this.#forward(job, next))];
    return job.tag.shadow ? [] : [this.#refuse(job.record, error)];
  }

  #counted(fate: string, out: OutRecord): OutRecord {
    this.#answered.count({ fate });
    return out;
  }

  #forward(job: Job, tag: Tag): OutRecord {
    const { record } = job;
    return {
      topic: this.#topics.model(tag.slip.tiers[tag.slip.position]!.model),
      lane: record.partition,
      key: record.key,
      value: record.value,
      headers: { ...record.headers, [header.tag]: encodeTag(tag) },
      timestamp: record.timestamp,
      from: record,
    };
  }

  #shadowAnswer({ record, tag }: Job, answer: Answer): OutRecord {
    return {
      topic: this.#topics.shadow,
      lane: record.partition,
      key: Buffer.from(tag.id),
      value: encodeShadowAnswer({ id: tag.id, flow: tag.flow, source: tag.source, answer }),
      headers: { [header.origin]: record.headers[header.origin] },
      from: record,
    };
  }

  #refuse(record: InRecord, error: SluiceError): OutRecord {
    this.#answered.count({ fate: 'refused' });
    return deadLetter({ record, error, stage: this.#parts.tier.model, topic: this.#topics.deadLetters, attempts: 1 });
  }
}

/** The router has refused what is no number from 0 to 9; a record that came past it presses for nothing. */
function priorityOf({ headers }: InRecord): number {
  const priority = Number(headerText(headers, header.priority) ?? 0);
  return priority >= 0 && priority <= 9 ? priority : 0;
}

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
  delayText,
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
import {
  afterAnswer,
  escalatedTag,
  fallBack,
  fallBackLate,
  isFailure,
  servedPrediction,
  shadowTags,
  type Fallback,
  type Stop,
} from '@sluice/routing';
import type { ModelServer, ResponseCache, Urgency } from '@sluice/serving';
import type { Tally, TallyPart } from '@sluice/service';
import type { InRecord, OutRecord, Processor } from '@sluice/streaming';
import type { Pace } from './pace.ts';

export interface WorkerParts {
  readonly flow: Flow;
  /** Columns of the flow's signature. */
  readonly signatureWidth: number;
  readonly tier: TierSpec;
  /** The model, or the breaker or the cache before it. */
  readonly server: Pick<ModelServer, 'infer'>;
  /** Remembers answers for a flow that falls back on them; undefined: none are kept. */
  readonly cache?: Pick<ResponseCache, 'recall'> | undefined;
  readonly schemas: RequestSchemas;
  /** The policy to decide by at that time. */
  readonly policy: (now: EpochMs) => PolicySnapshot;
  readonly clock: Clock;
  readonly drill?: WrongAnswers;
  readonly answered: Tally<'fate'>;
  readonly pace?: Pace;
}

interface Job {
  readonly record: InRecord;
  readonly tag: Tag;
  readonly start: number;
}

/** One for a whole slice before inference, and one after it: the newest policy at the record boundary, and the time. */
interface Moment {
  readonly policy: PolicySnapshot;
  readonly now: EpochMs;
}

/**
 * Runs one tier over one partition of its model topic and carries out the slip: final answers, escalations, shadow
 * answers and audits of a slice leave in one transaction with its offsets.
 */
export class WorkerProcessor implements Processor {
  readonly #parts: WorkerParts;
  readonly #topics: ReturnType<typeof topicsOf>;
  readonly #answered: TallyPart<'fate'>;
  /** Of the slice under way. */
  #rows = 0;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#answered = parts.answered.part();
    this.#topics = topicsOf(parts.flow.flow);
  }

  async process(slice: readonly InRecord[]): Promise<readonly OutRecord[]> {
    const begun = this.#moment();
    this.#rows = slice.length;
    this.#parts.pace?.began(begun.now);
    const opened = slice.map((record) => this.#open(record, begun));
    const jobs = opened.filter((entry): entry is Job => 'tag' in entry);
    const answers = await this.#parts.server.infer(jobs.map(rowOf), urgencyOf(jobs, begun.now));
    const at = this.#moment();
    let next = 0;
    return opened.flatMap((entry) => ('tag' in entry ? this.#finish(entry, answers[next++]!, at) : entry));
  }

  committed(): void {
    this.#answered.commit();
    this.#parts.pace?.ended(this.#rows, this.#parts.clock.now());
  }

  aborted(): void {
    this.#answered.rollback();
    this.#parts.pace?.ended(0, this.#parts.clock.now());
  }

  #moment(): Moment {
    const now = this.#parts.clock.now();
    return { now, policy: this.#parts.policy(now) };
  }

  /** What is to be inferred, or what becomes of the record without. */
  #open(record: InRecord, at: Moment): Job | readonly OutRecord[] {
    try {
      const bytes = headerBytes(record.headers, header.tag);
      if (bytes === undefined) throw new SluiceError('SLUICE_TAG_INVALID', 'the record has no sluice-tag header');
      const job = { record, tag: decodeTag(bytes), start: this.#parts.schemas.identify(record.value).start };
      return this.#late(job, at) ?? job;
    } catch (thrown) {
      return [this.#refuse(record, toSluiceError(thrown, 'SLUICE_TAG_INVALID'))];
    }
  }

  /** Past its deadline nobody waits for it: the flow may declare that it takes no more of the model's time. */
  #late(job: Job, { policy, now }: Moment): readonly OutRecord[] | undefined {
    const { tag, record } = job;
    const late = fallBackLate({ flow: this.#parts.flow, tag, policyVersion: policy.version, now });
    if (late === 'shed') {
      const error = new SluiceError('SLUICE_OVERLOADED', `its deadline had passed ${now - tag.deadlineAt} ms before it was taken up`);
      return [this.#refuse(record, error)];
    }
    return late && this.#served({ ...job, tag: late.tag }, tag.answers.at(-1)!, { decision: late.decision, fate: 'fallback' });
  }

  #finish(job: Job, answer: Answer | SluiceError, at: Moment): readonly OutRecord[] {
    if (answer instanceof SluiceError) return this.#failed(job, answer, at);
    const { flow, signatureWidth, drill } = this.#parts;
    const given =
      drill === undefined ? answer : { ...answer, label: drilledLabel(job.tag.id, answer.label, { drill, labels: flow.labels.length }) };
    if (job.tag.shadow) return [this.#counted('shadow', this.#shadowAnswer(job, given))];
    const decision = afterAnswer({ flow, signatureWidth, tag: job.tag, policy: at.policy, answer: given, now: at.now });
    if (decision.kind === 'escalate') return [this.#counted('escalated', this.#forward(job, escalatedTag(job.tag, given, decision)))];
    return this.#served(job, given, { decision, fate: 'served' });
  }

  #served(job: Job, answer: Answer, { decision, fate }: { readonly decision: Stop; readonly fate: string }): readonly OutRecord[] {
    const served = servedPrediction(this.#parts.flow, { tag: job.tag, answer, decision });
    const out: OutRecord = {
      topic: this.#topics.predictions,
      lane: job.record.partition,
      key: Buffer.from(served.id),
      value: encodePrediction(served),
      headers: { [header.origin]: job.record.headers[header.origin] },
      from: job.record,
    };
    return [this.#counted(fate, out), ...shadowTags(job.tag, decision).map((tag) => this.#forward(job, tag))];
  }

  /** What the flow declares for a tier that gives no answer; a row that is itself at fault becomes a dead letter, an unseen run just ends. */
  #failed(job: Job, error: SluiceError, at: Moment): readonly OutRecord[] {
    const { tag, record } = job;
    if (tag.shadow) return [];
    if (!isFailure(error.code)) return [this.#refuse(record, error)];
    const { flow, cache } = this.#parts;
    const cached = cache?.recall(rowOf(job));
    const failed = { flow, tag, failure: error.code, cached: cached?.version };
    const fallback = fallBack({ ...failed, policyVersion: at.policy.version, now: at.now });
    if (fallback === undefined) return [this.#refuse(record, error)];
    const instead = { ...job, tag: fallback.tag };
    if (fallback.kind === 'cached') return this.#finish(instead, cached!, at);
    if (fallback.kind === 'serve') return this.#served(instead, tag.answers.at(-1)!, { decision: fallback.decision, fate: 'fallback' });
    if (fallback.kind === 'retry') return [this.#counted('retry', this.#putAside(job, fallback, at.now))];
    return [this.#counted('fallback', this.#forward(job, fallback.tag))];
  }

  /** To the retry topic of its delay; from there it comes back to this topic. */
  #putAside(job: Job, { tag, delayMs, attempts }: Extract<Fallback, { kind: 'retry' }>, now: EpochMs): OutRecord {
    const out = this.#forward(job, tag);
    const headers = { ...out.headers, [header.attempts]: String(attempts), [header.notBefore]: String(now + delayMs) };
    return { ...out, topic: this.#topics.retry(delayText(delayMs)), headers };
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
      // Once it is a shadow it stays one, through all tiers that are left.
      headers: { ...record.headers, [header.tag]: encodeTag(tag), ...(tag.shadow && { [header.shadow]: '1' }) },
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
    this.#answered.count({ fate: error.class === 'drop' ? 'shed' : 'refused' });
    return deadLetter({ record, error, stage: this.#parts.tier.model, topic: this.#topics.deadLetters, attempts: 1 });
  }
}

/** Nobody waits for shadow answers, so they press for nothing. */
function urgencyOf(jobs: readonly Job[], now: EpochMs): Urgency {
  const waited = jobs.filter(({ tag }) => !tag.shadow);
  if (waited.length === 0) return {};
  const deadline = Math.min(...waited.map(({ tag }) => tag.deadlineAt));
  return { timeLeft: deadline - now, priority: Math.max(...waited.map(({ record }) => priorityOf(record))) };
}

/** The router has refused what is no number from 0 to 9; a record that came past it presses for nothing. */
function priorityOf({ headers }: InRecord): number {
  const priority = Number(headerText(headers, header.priority) ?? 0);
  return priority >= 0 && priority <= 9 ? priority : 0;
}

function rowOf({ record, tag, start }: Job): Parameters<ModelServer['infer']>[0][number] {
  return { value: record.value!, schema: tag.schema, start };
}

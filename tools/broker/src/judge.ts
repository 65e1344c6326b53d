import type { JudgeRecord } from './console-format.ts';
import { headerNames, readPlace } from './place.ts';
import type { Place } from './place.ts';

/** What the judge is given: every committed record of these topics of one flow. */
export interface JudgeInput {
  readonly requests: readonly JudgeRecord[];
  readonly predictions: readonly JudgeRecord[];
  readonly deadLetters: readonly JudgeRecord[];
  /** Records of the model topics; their order is judged too. */
  readonly routed?: readonly JudgeRecord[];
}

export interface Verdict {
  readonly requests: number;
  readonly predictions: number;
  /** Requests refused with a cause, and not sent again since to where they were refused. */
  readonly deadLetters: number;
  /** Dead letters whose record was sent again to the topic of a model: what came of that is the answer of its request. */
  readonly redriven: number;
  /** Requests left out on purpose and declared so. */
  readonly drops: number;
  /** Requests of which a dead letter says that they expired unread. */
  readonly expired: number;
  /** Requests with neither prediction nor dead letter. */
  readonly lost: number;
  /** Answers beyond the first of a request. */
  readonly duplicated: number;
  /** Records that overtook an earlier one of their key on their way from one partition to another. */
  readonly orderViolations: number;
  /** Predictions and dead letters that name no request as their origin. */
  readonly unexplained: number;
  /** Dead letters of records that are no requests (outcomes, failed shadow answers): no part of the sum. */
  readonly otherDeadLetters: number;
  /** The first few faults in words. */
  readonly faults: readonly string[];
}

const mostFaults = 20;

/**
 * Counts what a run did to its requests. Each request must be answered exactly once, by a prediction or a dead letter whose
 * `sluice-origin` names it; and records of one key that came over the same partition must leave in the order they came.
 * Without faults, requests = predictions + deadLetters + drops + expired.
 */
export function judge(input: JudgeInput): Verdict {
  const book = new Book(input.requests);
  for (const record of input.routed ?? []) book.takeBack(record);
  for (const record of input.predictions) book.answer(record, 'prediction');
  for (const record of input.deadLetters) book.answer(record, kindOfDeadLetter(record));
  for (const records of [input.predictions, input.deadLetters, input.routed ?? []]) book.checkOrder(records);
  return book.verdict();
}

type AnswerKind = 'prediction' | 'deadLetter' | 'drop' | 'shadow' | 'expired';

function kindOfDeadLetter(record: JudgeRecord): AnswerKind {
  const mark = record.headers[headerNames.class]?.toString();
  if (record.headers[headerNames.until] !== undefined) return 'expired';
  return mark === 'drop' || mark === 'shadow' ? mark : 'deadLetter';
}

/** Running account of one judgement. */
class Book {
  /** By request; less those that were taken back. */
  readonly #answers = new Map<string, number>();
  readonly #keys = new Map<string, string>();
  readonly #topics = new Set<string>();
  readonly #count = {
    prediction: 0,
    deadLetter: 0,
    redriven: 0,
    drop: 0,
    shadow: 0,
    expired: 0,
    foreign: 0,
    duplicated: 0,
    order: 0,
    unexplained: 0,
  };
  readonly #faults: string[] = [];

  constructor(requests: readonly JudgeRecord[]) {
    for (const record of requests) {
      this.#topics.add(record.topic);
      this.#answers.set(placeOf(record), 0);
      if (record.key !== null) this.#keys.set(placeOf(record), record.key.toString('latin1'));
    }
  }

  /**
   * A record that stands on the topic of a model though no app put it there (it has no source) was refused and sent again. A request that was
   * refused before any model saw it comes back as a new request, and its dead letter stays its answer.
   */
  takeBack(record: JudgeRecord): void {
    if (record.headers[headerNames.redriven] === undefined || record.headers[headerNames.source] !== undefined) return;
    const request = originOf(record)?.text ?? '';
    const answers = this.#answers.get(request);
    if (answers === undefined) return;
    this.#answers.set(request, answers - 1);
    this.#count.redriven++;
  }

  answer(record: JudgeRecord, kind: AnswerKind): void {
    // A shadow run that failed has no bearing on the answer its request got from the serving tier.
    if (kind === 'shadow') return void this.#count.shadow++;
    const origin = originOf(record);
    if (origin !== undefined && kind !== 'prediction' && !this.#topics.has(origin.topic)) return void this.#count.foreign++;
    if (kind === 'expired') return this.#expire(record, origin);
    this.#count[kind]++;
    if (origin !== undefined && this.#answers.has(origin.text)) return this.#settle(origin.text, `${kind} ${placeOf(record)}`);
    this.#count.unexplained++;
    this.#fault(`${kind} ${placeOf(record)} names ${origin?.text ?? 'nothing'} as its origin, which is no request`);
  }

  /** One record stands for all requests from its origin up to the offset it names; transactions of a producer leave gaps there. */
  #expire(record: JudgeRecord, origin: Place | undefined): void {
    const until = Number(record.headers[headerNames.until]);
    for (let offset = origin?.offset ?? until; offset < until; offset++) {
      const request = `${origin!.topic}/${origin!.partition}/${offset}`;
      if (!this.#answers.has(request)) continue;
      this.#count.expired++;
      this.#settle(request, `expired by ${placeOf(record)}`);
    }
  }

  #settle(request: string, by: string): void {
    const answers = this.#answers.get(request)!;
    this.#answers.set(request, answers + 1);
    if (answers < 1) return;
    this.#count.duplicated++;
    this.#fault(`request ${request} is answered again: ${by}`);
  }

  /** Within one output partition, what came from one source partition under one key must come in rising source offsets. */
  checkOrder(records: readonly JudgeRecord[]): void {
    const highest = new Map<string, number>();
    for (const record of inOffsetOrder(records)) {
      const source = readPlace(record.headers[headerNames.source]);
      if (source === undefined) continue;
      const origin = originOf(record)?.text;
      const key = (origin === undefined ? undefined : this.#keys.get(origin)) ?? '';
      const lane = `${record.topic}/${record.partition} ${source.topic}/${source.partition} ${key}`;
      const before = highest.get(lane) ?? -1;
      if (source.offset > before) highest.set(lane, source.offset);
      // An equal offset is a duplicate, which is counted as such.
      if (source.offset >= before) continue;
      this.#count.order++;
      this.#fault(`${placeOf(record)} comes from ${source.text}, after a record from offset ${before}`);
    }
  }

  verdict(): Verdict {
    const lost = [...this.#answers].filter(([, answers]) => answers < 1).map(([request]) => request);
    for (const request of lost) this.#fault(`request ${request} has no answer`);
    return {
      requests: this.#answers.size,
      predictions: this.#count.prediction,
      deadLetters: this.#count.deadLetter - this.#count.redriven,
      redriven: this.#count.redriven,
      drops: this.#count.drop,
      expired: this.#count.expired,
      lost: lost.length,
      duplicated: this.#count.duplicated,
      orderViolations: this.#count.order,
      unexplained: this.#count.unexplained,
      otherDeadLetters: this.#count.foreign + this.#count.shadow,
      faults: this.#faults,
    };
  }

  #fault(text: string): void {
    if (this.#faults.length < mostFaults) this.#faults.push(text);
  }
}

/** Where the request was that this record answers: stamped by every app, or the source itself one hop from the requests. */
function originOf(record: JudgeRecord): Place | undefined {
  return readPlace(record.headers[headerNames.origin]) ?? readPlace(record.headers[headerNames.source]);
}

function placeOf(record: JudgeRecord): string {
  return `${record.topic}/${record.partition}/${record.offset}`;
}

/** A reader hands over each partition in order already, but nothing here should depend on it. */
function inOffsetOrder(records: readonly JudgeRecord[]): JudgeRecord[] {
  return [...records].sort((a, b) => a.offset - b.offset);
}

/** Whether the verdict is spotless: what a run must show to end with exit code 0. */
export function isClean(verdict: Verdict): boolean {
  return verdict.lost === 0 && verdict.duplicated === 0 && verdict.orderViolations === 0 && verdict.unexplained === 0;
}

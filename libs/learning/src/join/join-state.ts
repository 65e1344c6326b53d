import { type EpochMs, type Example, type Flow, SluiceError } from '@sluice/domain';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { decodeEntry, encodeEntry, expiryOf, type JoinEntry, type StoredOutcome } from './entry.ts';
import { ExpiryIndex, type Expiry } from './expiry-index.ts';
import type { Fact, OutcomeFact, PredictionFact, ShadowFact } from './fact.ts';
import { advance, atExpiry, decisionOf, withShadow } from './join-event.ts';
import type { JoinChange, JoinStore } from './store.ts';

/** Key of the stream time among the entries. No event id starts with a zero byte. */
const clockKey = '\u0000clock';

/** An outcome that taught nothing, with its original bytes for the dead-letter topic. */
export interface UnmatchedOutcome {
  readonly code: 'SLUICE_OUTCOME_UNMATCHED' | 'SLUICE_OUTCOME_INVALID';
  readonly id: string;
  readonly message: string;
  readonly value: Uint8Array;
  readonly origin: string;
}

export interface JoinCounts {
  facts: number;
  /** Predictions, shadow answers and outcomes of ids (and tiers) that had theirs already. */
  duplicates: number;
  /** Predictions older than window and grace. */
  late: number;
  /** Ids that only ever had shadow answers. */
  orphans: number;
  unmatched: number;
}

/** What a slice of facts leads to; takes effect with `commit`. */
export interface JoinStep {
  readonly examples: readonly Example[];
  readonly unmatched: readonly UnmatchedOutcome[];
  /** Records of the changelog topic, at most one per key. */
  readonly changes: readonly JoinChange[];
}

/** Changes of a step before it is committed; undone by forgetting them, except for what left the expiry index. */
class Draft {
  readonly changes = new Map<string, Uint8Array | null>();
  readonly popped: Expiry[] = [];
  readonly examples: Example[] = [];
  readonly unmatched: UnmatchedOutcome[] = [];
  readonly counts: JoinCounts;
  clock: EpochMs;

  constructor(clock: EpochMs, counts: JoinCounts) {
    this.clock = clock;
    this.counts = { ...counts };
  }
}

/**
 * The join of one partition of `<flow>.facts`: predictions, shadow answers and outcomes of an id, whichever comes first, within the flow's
 * window of event time. Stream time is the largest event time seen, believed only up to `graceMs` after the record's own time stamp, so
 * that one producer with a wrong clock cannot close everybody's window.
 *
 * The result depends on the order of the facts alone, not on how they are sliced, and is the same after a restore from the changelog.
 */
export class JoinState {
  readonly #flow: Flow;
  readonly #store: JoinStore;
  readonly #index = new ExpiryIndex();
  #clock: EpochMs = -Infinity;
  #counts: JoinCounts = { facts: 0, duplicates: 0, late: 0, orphans: 0, unmatched: 0 };
  #draft: Draft | undefined;

  private constructor(flow: Flow, store: JoinStore) {
    this.#flow = flow;
    this.#store = store;
  }

  /** Takes up what the store holds: nothing at first, else what a changelog or an earlier run put there. */
  static async open(flow: Flow, store: JoinStore): Promise<JoinState> {
    const join = new JoinState(flow, store);
    for await (const [key, bytes] of store.entries()) {
      if (key === clockKey) join.#clock = new ByteReader(bytes).f64();
      else join.#index.push({ at: expiryOf(bytes), id: key });
    }
    return join;
  }

  get counts(): Readonly<JoinCounts> {
    return this.#counts;
  }

  /** Largest event time seen and committed; -Infinity before the first. */
  get streamTime(): EpochMs {
    return this.#clock;
  }

  /** What these facts lead to. Nothing changes until `commit`; `discard` forgets it. One step at a time. */
  fold(facts: readonly Fact[]): JoinStep {
    if (this.#draft !== undefined) throw new Error('the last step of the join was neither committed nor discarded');
    const draft = new Draft(this.#clock, this.#counts);
    this.#draft = draft;
    try {
      for (const fact of facts) this.#take(draft, fact);
    } catch (thrown) {
      this.discard();
      throw thrown;
    }
    if (draft.clock !== this.#clock) draft.changes.set(clockKey, new ByteWriter().f64(draft.clock).done());
    return { examples: draft.examples, unmatched: draft.unmatched, changes: [...draft.changes] };
  }

  /** The step's outputs and changelog records are durable: the store may know them. Await it before the next `fold`. */
  async commit(step: JoinStep): Promise<void> {
    const draft = this.#draft;
    if (draft === undefined) throw new Error('there is no step of the join to commit');
    await this.#store.apply(step.changes);
    this.#clock = draft.clock;
    this.#counts = draft.counts;
    this.#draft = undefined;
  }

  discard(): void {
    for (const expiry of this.#draft?.popped ?? []) this.#index.push(expiry);
    this.#draft = undefined;
  }

  #take(draft: Draft, fact: Fact): void {
    draft.counts.facts++;
    const at = this.#believed(fact);
    if (at > draft.clock) {
      draft.clock = at;
      this.#expire(draft);
    }
    if (fact.kind === 'prediction') this.#predicted(draft, fact, at);
    else if (fact.kind === 'outcome') this.#turnedOut(draft, fact, at);
    else this.#shadowed(draft, fact);
  }

  /** Event time of a fact; shadow answers have none and never move the clock. */
  #believed(fact: Fact): EpochMs {
    if (fact.kind === 'shadow') return -Infinity;
    const at = fact.kind === 'prediction' ? fact.prediction.requestedAt : fact.outcome.at;
    return Math.min(at, fact.loggedAt + this.#flow.feedback.graceMs);
  }

  #expiryOf(at: EpochMs): EpochMs {
    return at + this.#flow.feedback.windowMs + this.#flow.feedback.graceMs;
  }

  #predicted(draft: Draft, { prediction }: PredictionFact, at: EpochMs): void {
    const known = this.#read(draft, prediction.id);
    if (known?.done === true || known?.decision !== undefined) draft.counts.duplicates++;
    else if (this.#expiryOf(at) < draft.clock) draft.counts.late++;
    else {
      const decision = { ...decisionOf(this.#flow, prediction), at };
      const shadows = (known?.shadows ?? []).filter(
        (answer) => decision.audit.drawn && !decision.answers.some((ran) => ran.tier === answer.tier),
      );
      draft.examples.push(decision);
      this.#advance(draft, { expiry: this.#expiryOf(at), done: false, shadowed: false, decision, shadows, outcome: known?.outcome });
    }
  }

  #turnedOut(draft: Draft, fact: OutcomeFact, at: EpochMs): void {
    const { id, label } = fact.outcome;
    const truth = this.#flow.labels.indexOf(label);
    if (truth < 0)
      return this.#refuse(draft, id, {
        ...fact,
        code: 'SLUICE_OUTCOME_INVALID',
        message: `the flow has no label ${JSON.stringify(label)}`,
      });
    const outcome: StoredOutcome = { truth, at, value: fact.value, origin: fact.origin };
    const known = this.#read(draft, id);
    if (known?.done === true || known?.outcome !== undefined) draft.counts.duplicates++;
    else if (known?.decision === undefined && this.#expiryOf(at) < draft.clock) this.#unmatch(draft, id, outcome);
    else if (known === undefined) this.#write(draft, id, { ...nothing, expiry: this.#expiryOf(at), outcome });
    else if (known.decision === undefined)
      this.#write(draft, id, { ...known, expiry: Math.max(known.expiry, this.#expiryOf(at)), outcome });
    else this.#advance(draft, { ...known, outcome });
  }

  #shadowed(draft: Draft, { shadow, loggedAt }: ShadowFact): void {
    const known = this.#read(draft, shadow.id);
    // A shadow answer tells no time of its own; before any other fact there is only the time it was logged at.
    const entry = known ?? { ...nothing, expiry: this.#expiryOf(draft.clock === -Infinity ? loggedAt : draft.clock) };
    const shadows = entry.done || entry.decision?.audit.drawn === false ? undefined : withShadow(this.#flow, entry, shadow.answer);
    if (shadows === undefined) draft.counts.duplicates++;
    else if (entry.decision === undefined) this.#write(draft, shadow.id, { ...entry, shadows });
    else this.#advance(draft, { ...entry, shadows });
  }

  #advance(draft: Draft, entry: JoinEntry): void {
    const { id } = entry.decision!;
    const { entry: next, examples, unmatched } = advance(this.#flow, entry, this.#flow.feedback.windowMs);
    draft.examples.push(...examples);
    for (const outcome of unmatched) this.#unmatch(draft, id, outcome);
    this.#write(draft, id, next);
  }

  #expire(draft: Draft): void {
    for (let due = this.#index.popBefore(draft.clock); due !== undefined; due = this.#index.popBefore(draft.clock)) {
      draft.popped.push(due);
      const entry = this.#read(draft, due.id);
      if (entry === undefined || entry.expiry !== due.at) continue;
      const { examples, unmatched } = atExpiry(entry);
      if (!entry.done && entry.decision === undefined && entry.outcome === undefined) draft.counts.orphans++;
      draft.examples.push(...examples);
      for (const outcome of unmatched) this.#unmatch(draft, due.id, outcome);
      draft.changes.set(due.id, null);
    }
  }

  #unmatch(draft: Draft, id: string, { value, origin }: StoredOutcome): void {
    this.#refuse(draft, id, {
      value,
      origin,
      code: 'SLUICE_OUTCOME_UNMATCHED',
      message: `no prediction with id ${id} within window and grace`,
    });
  }

  #refuse(draft: Draft, id: string, refusal: Omit<UnmatchedOutcome, 'id'>): void {
    const { code, message, value, origin } = refusal;
    draft.counts.unmatched++;
    draft.unmatched.push({ code, id, message, value, origin });
  }

  #read(draft: Draft, id: string): JoinEntry | undefined {
    const changed = draft.changes.get(id);
    if (changed === null) return undefined;
    const bytes = changed ?? this.#store.get(id);
    if (bytes === undefined) return undefined;
    try {
      return decodeEntry(bytes);
    } catch (cause) {
      throw new SluiceError('SLUICE_AVRO_INVALID', `the join's entry of ${id} is not readable`, { cause });
    }
  }

  #write(draft: Draft, id: string, entry: JoinEntry): void {
    const before = draft.changes.has(id) ? draft.changes.get(id) : this.#store.get(id);
    if (before === undefined || before === null || expiryOf(before) !== entry.expiry) this.#index.push({ at: entry.expiry, id });
    draft.changes.set(id, encodeEntry(entry));
  }
}

const nothing: Omit<JoinEntry, 'expiry'> = { done: false, shadowed: false, decision: undefined, shadows: [], outcome: undefined };

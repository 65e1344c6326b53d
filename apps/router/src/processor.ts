import type { RequestSchemas } from '@sluice/contracts';
import { deadLetter, encodeTag, header, sourceText, topicsOf } from '@sluice/contracts';
import { SluiceError, toSluiceError, type Clock, type EpochMs, type Flow, type PolicySnapshot, type Tag } from '@sluice/domain';
import {
  auditDraw,
  BudgetLedger,
  route,
  slipAuditRate,
  type Lead,
  type Rules,
  type Signature,
  type SignatureReading,
} from '@sluice/routing';
import type { Tally, TallyPart } from '@sluice/service';
import type { InRecord, OutRecord, Processor } from '@sluice/streaming';
import { IdWindow } from './id-window.ts';
import type { TierState } from './tier-loads.ts';
import { readRequest, requestId, type Request } from './request.ts';

/** First tier and kind of the decision, or the code of the refusal; empty where one does not apply. */
export type RoutedLabel = 'tier' | 'decision' | 'code';

/** What routing needs besides the record. Everything is fixed for one slice, so a slice is decided by one policy and one time. */
export interface RouterParts {
  readonly flow: Flow;
  readonly schemas: RequestSchemas;
  readonly signature: Signature;
  readonly rules: Rules;
  /** Cost of each tier relative to the heavy one. */
  readonly costs: readonly number[];
  /** Which policy to decide by, and how far ahead of what it knows. */
  readonly lead: Pick<Lead, 'inForce' | 'committed'>;
  /** How the tiers stand at the time of the call. */
  readonly tiers: () => TierState;
  readonly clock: Clock;
  readonly routed: Tally<RoutedLabel>;
}

/** Fixed for one slice. */
interface Moment {
  readonly policy: PolicySnapshot;
  readonly tiers: TierState;
  readonly now: EpochMs;
}

/** Tags each request of one partition and republishes it untouched to the topic of its first model. */
export class RouterProcessor implements Processor {
  readonly #parts: RouterParts;
  readonly #topics: ReturnType<typeof topicsOf>;
  readonly #seen: IdWindow;
  readonly #routed: TallyPart<RoutedLabel>;
  /** Only where the budget comes first. */
  readonly #ledger: BudgetLedger | undefined;
  /** Version of the policy that the ledger was last settled by. */
  #settledBy = -1;
  /** Filled for each request. */
  readonly #bars: string[];
  /** The slice under way. */
  #done: { readonly last: InRecord; readonly decided: number } | undefined;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#topics = topicsOf(parts.flow.flow);
    this.#seen = new IdWindow(parts.flow.request.dedupWindow);
    this.#routed = parts.routed.part();
    const { budget, primary } = parts.flow.target;
    this.#ledger = budget !== undefined && primary === 'budget' ? new BudgetLedger(parts.costs) : undefined;
    this.#bars = parts.flow.tiers.map(() => '');
  }

  /** The window of known ids is a fold over the request topic itself: reading its last records again restores it. */
  restore(records: readonly InRecord[]): void {
    for (const record of records) {
      try {
        this.#seen.admit(requestId(record));
      } catch {
        // Unreadable headers: the record was refused then and names no id now.
      }
    }
    this.#seen.commit();
  }

  process(slice: readonly InRecord[]): readonly OutRecord[] {
    const now = this.#parts.clock.now();
    const policy = this.#parts.lead.inForce(slice[0]!, now);
    const tiers = this.#parts.tiers();
    this.#settle(policy);
    const outputs = slice.map((record) => this.#route(record, { policy, tiers, now }));
    this.#done = { last: slice.at(-1)!, decided: outputs.filter(({ topic }) => topic !== this.#topics.deadLetters).length };
    return outputs;
  }

  committed(): void {
    this.#parts.lead.committed(this.#done!.last, this.#done!.decided);
    this.#seen.commit();
    this.#routed.commit();
    this.#ledger?.commit();
  }

  aborted(): void {
    this.#seen.rollback();
    this.#routed.rollback();
    this.#ledger?.rollback();
  }

  #route(record: InRecord, at: Moment): OutRecord {
    try {
      return this.#tagged(record, at);
    } catch (thrown) {
      const error = toSluiceError(thrown, 'SLUICE_PROCESSOR_FAILED');
      if (error.class !== 'reject' && error.class !== 'drop') throw error;
      this.#routed.count({ tier: '', decision: '', code: error.code });
      return deadLetter({ record, error, stage: 'router', topic: this.#topics.deadLetters, attempts: 1 });
    }
  }

  #tagged(record: InRecord, at: Moment): OutRecord {
    const { flow, schemas } = this.#parts;
    const request = readRequest(record, flow, schemas);
    if (request.deadlineAt <= at.now) {
      throw new SluiceError('SLUICE_DEADLINE_PAST', `the deadline passed ${at.now - request.deadlineAt} ms before routing`);
    }
    const { tag, shed } = this.#decide(record, request, at);
    if (shed) return this.#shed(record, tag);
    if (!this.#seen.admit(request.id)) throw new SluiceError('SLUICE_DUPLICATE_ID', `id ${request.id} was already seen`);
    const [step] = tag.trail;
    this.#routed.count({ tier: step!.tier, decision: step!.kind, code: '' });
    return {
      topic: this.#topics.model(flow.tiers[tag.slip.position]!.model),
      lane: record.partition,
      key: record.key,
      value: record.value,
      headers: { ...record.headers, [header.tag]: encodeTag(tag), [header.origin]: sourceText(record) },
      timestamp: record.timestamp,
      from: record,
    };
  }

  /** The tag goes with it: it holds all that was known when the request was left out. Its id stays free for another attempt of the producer. */
  #shed(record: InRecord, tag: Tag): OutRecord {
    const { tier, wait } = tag.slip.tiers[tag.slip.position]!;
    const left = tag.deadlineAt - tag.routedAt;
    const error = new SluiceError(
      'SLUICE_OVERLOADED',
      `the ${tier} tier would have answered in ${wait} ms, the deadline was in ${left} ms`,
    );
    this.#routed.count({ tier: '', decision: '', code: error.code });
    const known = { ...record, headers: { ...record.headers, [header.tag]: encodeTag(tag) } };
    return deadLetter({ record: known, error, stage: 'router', topic: this.#topics.deadLetters, attempts: 1 });
  }

  #decide(record: InRecord, request: Request, at: Moment): { readonly tag: Tag; readonly shed: boolean } {
    const { flow, signature, rules, costs } = this.#parts;
    const read = signature.read({ ...request, now: at.now });
    const rule = rules.count === 0 ? undefined : rules.first(request, read);
    const decision = route({
      id: request.id,
      source: record,
      flow,
      policy: at.policy,
      costs,
      queuePrices: at.tiers.queuePrices,
      waits: at.tiers.waits,
      bars: this.#barsOf(read, at.tiers),
      budget: this.#reserve(request, at.policy),
      deadlineAt: request.deadlineAt,
      signature: read.row,
      signatureWidth: signature.width,
      segment: read.segment,
      rule,
      now: at.now,
    });
    const tag: Tag = {
      id: request.id,
      flow: flow.flow,
      source: { topic: record.topic, partition: record.partition, offset: record.offset },
      requestedAt: request.receivedAt,
      routedAt: at.now,
      deadlineAt: request.deadlineAt,
      policyVersion: at.policy.version,
      schema: request.schema,
      shadow: false,
      propensity: decision.propensity,
      slip: decision.slip,
      signature: read.row,
      trail: [decision.step],
      answers: [],
    };
    return { tag, shed: decision.shed };
  }

  /** What bars each tier at the moment, and else what bars it from this request. */
  #barsOf({ bars }: SignatureReading, tiers: TierState): readonly string[] {
    for (let tier = 0; tier < this.#bars.length; tier++) this.#bars[tier] = tiers.bars[tier] || bars[tier] || '';
    return this.#bars;
  }

  /** Predictions were counted anew; each partition hands out its share of what they left. */
  #settle({ version, budgetLeft, auditRate }: PolicySnapshot): void {
    if (this.#ledger === undefined || budgetLeft === null || version === this.#settledBy) return;
    this.#ledger.settle(budgetLeft, auditRate, 1 / this.#parts.flow.request.partitions);
    this.#settledBy = version;
  }

  /** What an event may cost; null without a budget, and where heavy alone may serve. */
  #reserve({ id }: Request, policy: PolicySnapshot): number | null {
    if (this.#ledger === undefined || this.#settledBy < 0 || policy.heavyOnly) return null;
    return this.#ledger.reserve(auditDraw(id, policy.version, this.#parts.flow.audit.key), slipAuditRate(policy, this.#parts.flow));
  }
}

import { deadLetter, decodeOutcome, header, sourceText, topicsOf } from '@sluice/contracts';
import { SluiceError, toSluiceError, type Flow, type Outcome } from '@sluice/domain';
import type { InRecord, OutRecord, Processor } from '@sluice/streaming';

/** Copies predictions, shadow answers and valid outcomes to the facts topic, keyed and partitioned by event id. */
export class GatherProcessor implements Processor {
  readonly #flow: Flow;
  readonly #topics: ReturnType<typeof topicsOf>;

  constructor(flow: Flow) {
    this.#flow = flow;
    this.#topics = topicsOf(flow.flow);
  }

  process(slice: readonly InRecord[]): readonly OutRecord[] {
    return slice.map((record) => this.#fact(record));
  }

  #fact(record: InRecord): OutRecord {
    if (record.topic === this.#topics.predictions) return this.#copy(record, 'prediction', record.key!);
    if (record.topic === this.#topics.shadow) return this.#copy(record, 'shadow', record.key!);
    try {
      return this.#copy(record, 'outcome', Buffer.from(this.#checkedOutcome(record).id));
    } catch (thrown) {
      const error = toSluiceError(thrown, 'SLUICE_OUTCOME_INVALID');
      return deadLetter({ record, error, stage: 'feedback', topic: this.#topics.deadLetters, attempts: 1 });
    }
  }

  #copy(record: InRecord, fact: 'prediction' | 'shadow' | 'outcome', id: Buffer): OutRecord {
    return {
      topic: this.#topics.facts,
      key: id,
      value: record.value,
      headers: { [header.fact]: fact, [header.origin]: record.headers[header.origin] ?? sourceText(record) },
      timestamp: record.timestamp,
      from: record,
    };
  }

  #checkedOutcome(record: InRecord): Outcome {
    if (record.value === null) throw new SluiceError('SLUICE_OUTCOME_INVALID', 'the outcome has no value');
    const outcome = readOutcome(record.value);
    if (outcome.id === '') throw new SluiceError('SLUICE_OUTCOME_INVALID', 'the outcome names no id');
    if (!this.#flow.labels.includes(outcome.label)) {
      throw new SluiceError('SLUICE_OUTCOME_INVALID', `label ${outcome.label} is none of ${this.#flow.labels.join(', ')}`);
    }
    return outcome;
  }
}

function readOutcome(value: Buffer): Outcome {
  try {
    return decodeOutcome(value);
  } catch (cause) {
    throw new SluiceError('SLUICE_OUTCOME_INVALID', 'the outcome is not an Avro Outcome in single-object encoding', { cause });
  }
}

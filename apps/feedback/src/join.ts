import { deadLetter, encodeExample, header, headerText, sourceText, topicsOf } from '@sluice/contracts';
import { SluiceError, toSluiceError, type Flow } from '@sluice/domain';
import { JoinState, readFact, type Fact, type JoinStep, type UnmatchedOutcome } from '@sluice/learning';
import type { Bus, InRecord, OutRecord, Processor } from '@sluice/streaming';
import { LevelStore } from './level-store.ts';

export interface JoinOptions {
  readonly bus: Bus;
  readonly flow: Flow;
  readonly stateDir: string;
  /** Partition of the facts topic, hence of the changelog. */
  readonly partition: number;
}

/** Opens the join of one partition: its store is filled from the changelog, which holds exactly what was committed. */
export async function openJoin({ bus, flow, stateDir, partition }: JoinOptions): Promise<JoinProcessor> {
  const store = await LevelStore.open(stateDir, `${flow.flow}-${partition}`);
  const changelog = await bus.readAll([topicsOf(flow.flow).joinChangelog]);
  const own = changelog.filter((record) => record.partition === partition);
  await store.apply(own.map((record) => [record.key!.toString(), record.value] as const));
  return new JoinProcessor(flow, { partition, store, state: await JoinState.open(flow, store) });
}

interface JoinParts {
  readonly partition: number;
  readonly store: LevelStore;
  readonly state: JoinState;
}

/** Pairs the facts of one partition into examples; every change of its state goes to the changelog in the same transaction. */
export class JoinProcessor implements Processor {
  readonly #topics: ReturnType<typeof topicsOf>;
  readonly #parts: JoinParts;
  #step: JoinStep | undefined;

  constructor(flow: Flow, parts: JoinParts) {
    this.#topics = topicsOf(flow.flow);
    this.#parts = parts;
  }

  process(slice: readonly InRecord[]): readonly OutRecord[] {
    const refused: OutRecord[] = [];
    const facts: Fact[] = [];
    for (const record of slice) {
      try {
        facts.push(factOf(record));
      } catch (thrown) {
        const error = toSluiceError(thrown, 'SLUICE_AVRO_INVALID');
        refused.push(deadLetter({ record, error, stage: 'feedback', topic: this.#topics.deadLetters, attempts: 1 }));
      }
    }
    this.#step = this.#parts.state.fold(facts);
    return [...refused, ...this.#outputs(this.#step, slice.at(-1)!)];
  }

  async committed(): Promise<void> {
    await this.#parts.state.commit(this.#step!);
  }

  aborted(): void {
    this.#parts.state.discard();
  }

  close(): Promise<void> {
    return this.#parts.store.close();
  }

  #outputs({ examples, changes, unmatched }: JoinStep, from: InRecord): OutRecord[] {
    return [
      ...examples.map((example): OutRecord => ({
        topic: this.#topics.examples,
        partition: 0,
        key: Buffer.from(example.id),
        value: encodeExample(example),
        from,
      })),
      ...changes.map(([key, value]): OutRecord => ({
        topic: this.#topics.joinChangelog,
        partition: this.#parts.partition,
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        from,
      })),
      ...unmatched.map((outcome) => this.#unmatched(outcome, from)),
    ];
  }

  #unmatched({ code, id, message, value, origin }: UnmatchedOutcome, from: InRecord): OutRecord {
    const record = { ...from, key: Buffer.from(id), value: Buffer.from(value), headers: { [header.origin]: origin } };
    return deadLetter({ record, error: new SluiceError(code, message), stage: 'feedback', topic: this.#topics.deadLetters, attempts: 1 });
  }
}

function factOf(record: InRecord): Fact {
  return readFact({
    kind: headerText(record.headers, header.fact),
    value: record.value!,
    timestamp: record.timestamp,
    origin: headerText(record.headers, header.origin) ?? sourceText(record),
  });
}

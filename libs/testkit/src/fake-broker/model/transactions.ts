import { codes } from '../protocol/codes.ts';

/** Where the markers of a transaction go: a partition of a topic, or the offsets of a group. */
export type Participant = string;

type State = 'empty' | 'ongoing' | 'prepareCommit' | 'prepareAbort' | 'committed' | 'aborted';

interface Transaction {
  readonly id: string;
  producerId: number;
  epoch: number;
  /** Who ended the last transaction with version 2: the answer may be lost, so that one may ask once more. */
  ended: ProducerIdentity | undefined;
  timeout: number;
  state: State;
  participants: Set<Participant>;
  timer: NodeJS.Timeout | undefined;
}

export interface ProducerIdentity {
  readonly producerId: number;
  readonly epoch: number;
}

export interface TransactionsOptions {
  /** How long the markers of a transaction take until all are written. */
  readonly markerDelay: () => number;
  /** Writes one marker. */
  readonly mark: (participant: Participant, marker: ProducerIdentity & { commit: boolean }) => void;
  /** The last epoch that a producer id is handed out with: then comes another id. Left out: as in Kafka. */
  readonly lastEpoch?: number;
}

/** Short.MAX_VALUE - 1: its markers take the very last. */
const lastEpoch = 32_766;

const invalid = { producerId: -1, epoch: -1 };
const isEnding = (state: State): boolean => state === 'prepareCommit' || state === 'prepareAbort';

/**
 * The transaction coordinator (TransactionCoordinator). In version 1 of the protocol an epoch lasts until the next initialisation, in
 * version 2 until the end of its transaction.
 */
export class Transactions {
  readonly #options: TransactionsOptions;
  readonly #byId = new Map<string, Transaction>();
  #nextProducerId = 1_000;

  constructor(options: TransactionsOptions) {
    this.#options = options;
  }

  /** Takes an id over: whoever had it is fenced, and its open transaction aborted first. */
  init(id: string | null, timeout: number): ProducerIdentity & { errorCode: number } {
    if (id === null) return { errorCode: codes.none, producerId: this.#nextProducerId++, epoch: 0 };
    let known = this.#byId.get(id);
    if (known === undefined) {
      const nobody = { producerId: this.#nextProducerId++, epoch: -1, ended: undefined };
      known = { id, ...nobody, timeout, state: 'empty', participants: new Set(), timer: undefined };
      this.#byId.set(id, known);
    }
    if (isEnding(known.state)) return { ...invalid, errorCode: codes.concurrentTransactions };
    if (known.state === 'ongoing') {
      known.epoch++;
      this.#end(known, false);
      return { ...invalid, errorCode: codes.concurrentTransactions };
    }
    this.#advance(known);
    known.ended = undefined;
    known.timeout = timeout;
    known.state = 'empty';
    return { errorCode: codes.none, producerId: known.producerId, epoch: known.epoch };
  }

  add(id: string, producer: ProducerIdentity, participants: readonly Participant[]): number {
    const found = this.#find(id, producer);
    if (typeof found === 'number') return found;
    if (isEnding(found.state)) return codes.concurrentTransactions;
    if (found.state !== 'ongoing') {
      found.state = 'ongoing';
      found.participants = new Set();
      found.timer = setTimeout(() => this.#expire(found), found.timeout);
    }
    for (const participant of participants) found.participants.add(participant);
    return codes.none;
  }

  end(id: string, producer: ProducerIdentity, commit: boolean): number {
    const found = this.#find(id, producer);
    if (typeof found === 'number') return found;
    switch (found.state) {
      case 'ongoing':
        this.#end(found, commit);
        return codes.none;
      case 'committed':
        return commit ? codes.none : codes.invalidTxnState;
      case 'aborted':
        return commit ? codes.invalidTxnState : codes.none;
      case 'prepareCommit':
        return commit ? codes.concurrentTransactions : codes.invalidTxnState;
      case 'prepareAbort':
        return commit ? codes.invalidTxnState : codes.concurrentTransactions;
      case 'empty':
        return codes.invalidTxnState;
    }
  }

  /** As `end` does in version 2: who may go on is told the identity of the next transaction, and may ask twice for the same end. */
  endAndBump(id: string, producer: ProducerIdentity, commit: boolean): ProducerIdentity & { errorCode: number } {
    const found = this.#byId.get(id);
    const isPresent = found?.producerId === producer.producerId && found.epoch === producer.epoch;
    const isRetry = found?.ended?.producerId === producer.producerId && found.ended.epoch === producer.epoch;
    if (found === undefined) return { ...invalid, errorCode: codes.invalidProducerIdMapping };
    if (isRetry && found.state !== 'ongoing') return this.#endedBefore(found, commit);
    if (!isPresent || isEnding(found.state)) return { ...invalid, errorCode: codes.producerFenced };
    // An empty transaction may be aborted and not committed.
    if (found.state !== 'ongoing' && commit) return { ...invalid, errorCode: codes.invalidTxnState };
    if (found.state !== 'ongoing') found.participants = new Set();
    found.ended = { ...producer };
    this.#end(found, commit, { ...producer, epoch: producer.epoch + 1 });
    this.#advance(found);
    return { errorCode: codes.none, producerId: found.producerId, epoch: found.epoch };
  }

  #endedBefore(found: Transaction, commit: boolean): ProducerIdentity & { errorCode: number } {
    const wasCommit = found.state === 'prepareCommit' || found.state === 'committed';
    if (wasCommit !== commit) return { ...invalid, errorCode: codes.invalidTxnState };
    if (isEnding(found.state)) return { ...invalid, errorCode: codes.concurrentTransactions };
    return { errorCode: codes.none, producerId: found.producerId, epoch: found.epoch };
  }

  #advance(transaction: Transaction): void {
    if (transaction.epoch < (this.#options.lastEpoch ?? lastEpoch)) transaction.epoch++;
    else Object.assign(transaction, { producerId: this.#nextProducerId++, epoch: 0 });
  }

  /** Whether a write belongs to the open transaction (transaction.partition.verification.enable, KIP-890 part 1). */
  verify(id: string, producer: ProducerIdentity, participant: Participant): number {
    const found = this.#find(id, producer);
    if (typeof found === 'number') return found;
    return found.state === 'ongoing' && found.participants.has(participant) ? codes.none : codes.invalidTxnState;
  }

  get open(): number {
    return [...this.#byId.values()].filter(({ state }) => state === 'ongoing' || state.startsWith('prepare')).length;
  }

  close(): void {
    for (const { timer } of this.#byId.values()) clearTimeout(timer);
  }

  #find(id: string, { producerId, epoch }: ProducerIdentity): Transaction | number {
    const found = this.#byId.get(id);
    if (found === undefined || found.producerId !== producerId) return codes.invalidProducerIdMapping;
    return found.epoch === epoch ? found : codes.invalidProducerEpoch;
  }

  /** The decision is durable now; markers follow. Any broker may write its markers sooner than another. */
  #end(transaction: Transaction, commit: boolean, marker: ProducerIdentity = transaction): void {
    clearTimeout(transaction.timer);
    transaction.state = commit ? 'prepareCommit' : 'prepareAbort';
    const { producerId, epoch } = marker;
    let left = transaction.participants.size;
    const done = () => (transaction.state = commit ? 'committed' : 'aborted');
    if (left === 0) done();
    for (const participant of transaction.participants) {
      setTimeout(() => {
        this.#options.mark(participant, { producerId, epoch, commit });
        if (--left === 0) done();
      }, this.#options.markerDelay());
    }
  }

  #expire(transaction: Transaction): void {
    if (transaction.state !== 'ongoing') return;
    transaction.epoch++;
    this.#end(transaction, false);
  }
}

import { codes } from '../protocol/codes.ts';

/** Where the markers of a transaction go: a partition of a topic, or the offsets of a group. */
export type Participant = string;

type State = 'empty' | 'ongoing' | 'prepareCommit' | 'prepareAbort' | 'committed' | 'aborted';

interface Transaction {
  readonly id: string;
  readonly producerId: number;
  epoch: number;
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
}

const invalid = { producerId: -1, epoch: -1 };

/** The transaction coordinator (TransactionCoordinator, version 1 of the protocol: an epoch lasts until the next initialisation). */
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
      known = { id, producerId: this.#nextProducerId++, epoch: -1, timeout, state: 'empty', participants: new Set(), timer: undefined };
      this.#byId.set(id, known);
    }
    if (known.state === 'prepareCommit' || known.state === 'prepareAbort') return { ...invalid, errorCode: codes.concurrentTransactions };
    if (known.state === 'ongoing') {
      known.epoch++;
      this.#end(known, false);
      return { ...invalid, errorCode: codes.concurrentTransactions };
    }
    known.epoch++;
    known.timeout = timeout;
    known.state = 'empty';
    return { errorCode: codes.none, producerId: known.producerId, epoch: known.epoch };
  }

  add(id: string, producer: ProducerIdentity, participants: readonly Participant[]): number {
    const found = this.#find(id, producer);
    if (typeof found === 'number') return found;
    if (found.state === 'prepareCommit' || found.state === 'prepareAbort') return codes.concurrentTransactions;
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
  #end(transaction: Transaction, commit: boolean): void {
    clearTimeout(transaction.timer);
    transaction.state = commit ? 'prepareCommit' : 'prepareAbort';
    const { producerId, epoch } = transaction;
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

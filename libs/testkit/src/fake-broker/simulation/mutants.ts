export interface Edit {
  /** End of the file's path. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly about: string;
  /** Numbers of patches of the client that are taken out. */
  readonly without?: readonly string[];
  readonly edits?: readonly Edit[];
}

const owner = 'streaming/src/kafka/partition-owner.ts';
const committer = 'streaming/src/kafka/committer.ts';
const writer = 'streaming/src/kafka/writer.ts';
const eosManager = 'kafkajs/src/producer/eosManager/index.js';
const unasserted: Edit = { file: 'streaming/src/kafka/assert-patched.ts', find: 'export function assertPatched(): void {', replace: 'export function assertPatched(): void {\n  return;' }; // prettier-ignore

/** Programs with a known defect: the oracle is worth something only if it finds each of them. */
export const mutants: Readonly<Record<string, Mutant>> = {
  leak: { about: 'the client shows aborted records to read_committed readers (C1)', without: ['001'], edits: [unasserted] },
  'kept-producer': {
    about:
      'after an error the pipe aborts and goes on with the same producer, as most programs do (T3, T4): sequence numbers are used twice',
    without: ['019', '012', '008'],
    edits: [
      unasserted,
      {
        file: writer,
        find: 'async commit({ group, records, partition: { topic, partition }, next }: Commit): Promise<void> {\n    const transaction = await this.#producer.transaction();',
        replace: `isKept = false;
  async commit(commit: Commit): Promise<void> {
    const transaction = await this.#producer.transaction();
    this.isKept = false;
    await this.write(transaction, commit).catch(async (thrown: unknown) => {
      await transaction.abort();
      this.isKept = true;
      throw thrown;
    });
  }
  async write(transaction: any, { group, records, partition: { topic, partition }, next }: Commit): Promise<void> {`,
      },
      {
        file: committer,
        find: 'this.#writer = this.#context.newWriter(this.#partition);\n    await this.#writer.open();',
        replace: 'if (!(this.#writer as any)?.isKept) await (this.#writer = this.#context.newWriter(this.#partition)).open();',
      },
      {
        file: committer,
        find: 'async close(): Promise<void> {',
        replace: 'isEnding = false;\n  async close(): Promise<void> {\n    if ((this.#writer as any)?.isKept && !this.isEnding) return;',
      },
      {
        file: owner,
        find: 'this.#queue.clear();\n    await this.#committer.close();',
        replace: '(this.#committer as any).isEnding = true;\n    this.#queue.clear();\n    await this.#committer.close();',
      },
    ],
  },
  'kept-epoch': {
    about: 'the client goes on with the producer id and epoch of the transaction before, whatever EndTxn of version 2 answered',
    edits: [
      {
        file: eosManager,
        find: '    producerId = next.producerId\n    producerEpoch = next.producerEpoch\n',
        replace: '',
      },
    ],
  },
  'kept-id': {
    about:
      'the client takes the new epoch from the answer to EndTxn of version 2, but not the new producer id that comes when epochs run out',
    edits: [{ file: eosManager, find: '    producerId = next.producerId\n', replace: '' }],
  },
  'kept-sequences': {
    about: 'the client counts its sequence numbers on in the next transaction, though its new epoch begins at 0',
    edits: [{ file: eosManager, find: '    producerEpoch = next.producerEpoch\n    producerSequence = {}\n', replace: '    producerEpoch = next.producerEpoch\n' }], // prettier-ignore
  },
  unchecked: {
    about: 'the checksum of a fetched batch is not looked at (C10)',
    edits: [{ file: 'streaming/src/kafka/record-batch/decode.ts', find: '      checkSum(batch);\n', replace: '' }],
  },
  unfenced: {
    about: 'each process has transactional ids of its own (what a new random id per start amounts to): nobody fences a zombie',
    edits: [{ file: writer, find: 'transactionalId: `${group}/', replace: 'transactionalId: `${Math.random()}/${group}/' }],
  },
  'late-fence': {
    about: 'the committed offset is read before the predecessor is fenced: it may still commit what is read again',
    edits: [
      { file: owner, find: 'await this.#committer.open();\n    const { low, high }', replace: 'const { low, high }' },
      {
        file: owner,
        find: 'await this.#settleFate(committed);',
        replace: 'await this.#committer.open();\n    await this.#settleFate(committed);',
      },
    ],
  },
  'forgotten-fate': {
    about: 'after an error the slice is tried again from where it was, without a look at what the group has committed',
    edits: [
      {
        file: owner,
        find: 'const found = await admin.committed(spec.group, this.partition)',
        replace: 'const found = this.#committed >= 0 ? this.#committed : await admin.committed(spec.group, this.partition)',
      },
    ],
  },
  'half-heard-join': {
    about: 'when SyncGroup fails, the client goes on with its old assignment in the new generation, and what it was given lies still',
    without: ['011'],
  },
  'moved-leader': {
    about:
      'a retry goes by broker and does not wait for the requests beside it: records whose leader moved meanwhile are written twice (T5)',
    without: ['012'],
  },
  'late-commit': {
    about: 'a commit made again after a rebalance passes in the new generation: offsets go back (at-least-once only)',
    without: ['013'],
    edits: [{ file: 'streaming/src/kafka/pipe.ts', find: 'if (!this.#owners.has(keyOf(of)))', replace: 'if (false)' }],
  },
  'half-open': {
    about: 'when a request times out, the client keeps the connection for ever, though nothing passes it any more',
    without: ['014'],
  },
  'stopped-fetchers': {
    about: 'a consumer that is stopped while it makes its fetchers anew for other brokers spins, and its process answers nothing any more',
    without: ['015'],
  },
  'stopped-join': {
    about: 'a consumer that is stopped while it joins its group goes on as a member that nobody owns: its partitions lie still',
    without: ['016'],
  },
};

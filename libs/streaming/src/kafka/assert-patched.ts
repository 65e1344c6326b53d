import { SluiceError } from '@sluice/domain';
import { internals, type RawMessage } from './internals.ts';

const record = (offset: number, producerId: string, key: Buffer | null): RawMessage => ({
  offset: String(offset),
  timestamp: '0',
  key,
  value: null,
  batchContext: { firstOffset: String(offset), lastOffsetDelta: 0, producerId, inTransaction: true },
});

/** Two producers abort at once, listed out of order, one record keyed like a marker: the stock client delivers two of three. */
function keepsAbortedAway(): boolean {
  const messages = [record(3, '1', null), record(4, '2', null), record(5, '2', Buffer.alloc(4))];
  const abortedTransactions = [
    { producerId: '2', firstOffset: '2' },
    { producerId: '1', firstOffset: '1' },
  ];
  return internals.filterAbortedMessages({ messages, abortedTransactions }).length === 0;
}

const followsPositions = (): boolean => String(internals.Runner.prototype.handleBatch).includes('fetchedOffset');

const keepsSequences = (): boolean => String(internals.createSendMessages).includes('assertSettled');

/** @throws SluiceError SLUICE_CLIENT_UNPATCHED when the client lacks a patch that correctness rests on: tried out, not looked up. */
export function assertPatched(): void {
  if (!keepsAbortedAway()) throw new SluiceError('SLUICE_CLIENT_UNPATCHED', 'kafkajs lets records of aborted transactions through');
  if (!followsPositions()) throw new SluiceError('SLUICE_CLIENT_UNPATCHED', 'kafkajs does not report where its fetches begin');
  if (!keepsSequences())
    throw new SluiceError('SLUICE_CLIENT_UNPATCHED', 'kafkajs gives sequence numbers of a lost answer to other records');
}

import { codes } from '../protocol/codes.ts';
import { placeOf } from './cluster.ts';
import { coordination, each, throttleTime, type Handler } from './handler.ts';

const initProducerId: Handler<'InitProducerId'> = ({ transactionalId, transactionTimeout }, asked) => {
  const moved = transactionalId === null ? codes.none : coordination(asked, 'transaction', transactionalId);
  if (moved) return { throttleTime, errorCode: moved, producerId: -1, producerEpoch: -1 };
  const { errorCode, producerId, epoch } = asked.cluster.transactions.init(transactionalId, transactionTimeout);
  return { throttleTime, errorCode, producerId, producerEpoch: epoch };
};

const addPartitionsToTxn: Handler<'AddPartitionsToTxn'> = ({ transactionalId, producerId, producerEpoch: epoch, topics }, asked) => {
  const participants = topics.flatMap(({ topic, partitions }) => partitions.map((partition) => placeOf(topic, partition)));
  const errorCode =
    coordination(asked, 'transaction', transactionalId) ||
    asked.cluster.transactions.add(transactionalId, { producerId, epoch }, participants);
  return {
    throttleTime,
    topics: topics.map(({ topic, partitions }) => ({ topic, partitions: partitions.map((partition) => ({ partition, errorCode })) })),
  };
};

const addOffsetsToTxn: Handler<'AddOffsetsToTxn'> = ({ transactionalId, producerId, producerEpoch: epoch, groupId }, asked) => {
  const { cluster } = asked;
  const moved = coordination(asked, 'transaction', transactionalId);
  return {
    throttleTime,
    errorCode: moved || cluster.transactions.add(transactionalId, { producerId, epoch }, [cluster.participantOf(groupId)]),
  };
};

const txnOffsetCommit: Handler<'TxnOffsetCommit'> = (request, asked) => {
  const { cluster } = asked;
  const { transactionalId, groupId, producerId, producerEpoch: epoch, topics } = request;
  const offsets = new Map(
    topics.flatMap(({ topic, partitions }) => partitions.map((one) => [placeOf(topic, one.partition), one.offset] as const)),
  );
  const writing = { id: transactionalId, producer: { producerId, epoch }, participant: cluster.participantOf(groupId) };
  const moved = coordination(asked, 'group', groupId);
  const admitted = moved || (asked.isNewer ? offsetsError(cluster.join(writing)) : cluster.verify(writing));
  const errorCode = admitted || cluster.offsetsOf(groupId).pend({ producerId, epoch }, offsets);
  return { throttleTime, topics: each(topics, () => ({ errorCode })) };
};

/** The group coordinator's word for a transaction coordinator that cannot answer it now. */
const offsetsError = (errorCode: number): number => (errorCode === codes.notEnoughReplicas ? codes.coordinatorNotAvailable : errorCode);

const endTxn: Handler<'EndTxn'> = ({ transactionalId, producerId, producerEpoch: epoch, commit }, asked) => {
  const { cluster, isNewer } = asked;
  const answer = { throttleTime, producerId: -1, producerEpoch: -1 };
  const moved = coordination(asked, 'transaction', transactionalId);
  if (moved) return { ...answer, errorCode: moved };
  const producer = { producerId, epoch };
  if (!isNewer) return { ...answer, errorCode: cluster.transactions.end(transactionalId, producer, commit) };
  const next = cluster.transactions.endAndBump(transactionalId, producer, commit);
  return { throttleTime, errorCode: next.errorCode, producerId: next.producerId, producerEpoch: next.epoch };
};

export const transactionHandlers = {
  InitProducerId: initProducerId,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  TxnOffsetCommit: txnOffsetCommit,
  EndTxn: endTxn,
} as const;

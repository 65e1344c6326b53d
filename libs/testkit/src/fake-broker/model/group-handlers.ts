import { codes } from '../protocol/codes.ts';
import { placeOf } from './cluster.ts';
import { coordination, each, hostOf, port, throttleTime, type Handler } from './handler.ts';

const findCoordinator: Handler<'FindCoordinator'> = ({ key, type }, { cluster }) => {
  const nodeId = cluster.coordinatorOf(type === 1 ? 'transaction' : 'group', key);
  return { throttleTime, errorCode: codes.none, errorMessage: null, nodeId, host: hostOf(nodeId), port };
};

const joinGroup: Handler<'JoinGroup'> = (request, asked) => {
  const errorCode = coordination(asked, 'group', request.groupId);
  if (errorCode === codes.none) return asked.cluster.group(request.groupId).join(request);
  return { throttleTime, errorCode, generationId: -1, protocol: '', leaderId: '', memberId: request.memberId, members: [] };
};

const syncGroup: Handler<'SyncGroup'> = (request, asked) => {
  const errorCode = coordination(asked, 'group', request.groupId);
  if (errorCode === codes.none) return asked.cluster.group(request.groupId).sync(request);
  return { throttleTime, errorCode, assignment: Buffer.alloc(0) };
};

const heartbeat: Handler<'Heartbeat'> = (request, asked) => {
  const errorCode = coordination(asked, 'group', request.groupId);
  return { throttleTime, errorCode: errorCode || asked.cluster.group(request.groupId).heartbeat(request) };
};

const leaveGroup: Handler<'LeaveGroup'> = ({ groupId, members }, asked) => {
  const errorCode = coordination(asked, 'group', groupId);
  const left = errorCode ? [] : members.map((one) => ({ ...one, errorCode: asked.cluster.group(groupId).leave(one.memberId) }));
  return { throttleTime, errorCode, members: left };
};

const offsetCommit: Handler<'OffsetCommit'> = ({ groupId, memberId, generationId, topics }, asked) => {
  const { cluster } = asked;
  const errorCode = coordination(asked, 'group', groupId) || cluster.group(groupId).refusal(memberId, generationId);
  return {
    throttleTime,
    topics: each(topics, ({ topic, partition }, { offset }) => {
      if (errorCode === codes.none) cluster.offsetsOf(groupId).commit(placeOf(topic, partition), offset);
      return { errorCode };
    }),
  };
};

const offsetFetch: Handler<'OffsetFetch'> = ({ groupId, topics }, asked) => {
  const errorCode = coordination(asked, 'group', groupId);
  const offsets = asked.cluster.offsetsOf(groupId);
  const found = each(topics, ({ topic, partition }) => ({
    ...{ offset: offsets.get(placeOf(topic, partition)) ?? -1, metadata: '', errorCode: codes.none },
  }));
  return { throttleTime, topics: errorCode ? [] : found, errorCode };
};

export const groupHandlers = {
  FindCoordinator: findCoordinator,
  JoinGroup: joinGroup,
  SyncGroup: syncGroup,
  Heartbeat: heartbeat,
  LeaveGroup: leaveGroup,
  OffsetCommit: offsetCommit,
  OffsetFetch: offsetFetch,
} as const;

import { codes } from '../protocol/codes.ts';
import { Transactions } from './transactions.ts';

const marks: unknown[] = [];
const newCoordinator = () =>
  new Transactions({ markerDelay: () => 5, mark: (participant, { epoch, commit }) => marks.push([participant, epoch, commit]) });

beforeEach(() => {
  marks.length = 0;
  jest.useFakeTimers();
});
afterEach(() => jest.useRealTimers());

describe('the transaction coordinator of a fake broker', () => {
  it('answers CONCURRENT_TRANSACTIONS while it writes its markers', () => {
    const coordinator = newCoordinator();
    const { producerId, epoch } = coordinator.init('id', 1_000);
    expect(coordinator.add('id', { producerId, epoch }, ['t/0'])).toBe(codes.none);
    expect(coordinator.end('id', { producerId, epoch }, true)).toBe(codes.none);
    expect(coordinator.add('id', { producerId, epoch }, ['t/0'])).toBe(codes.concurrentTransactions);
    jest.advanceTimersByTime(5);
    expect(marks).toEqual([['t/0', 0, true]]);
    expect(coordinator.add('id', { producerId, epoch }, ['t/0'])).toBe(codes.none);
    coordinator.close();
  });

  it('aborts the open transaction of a predecessor with a newer epoch, and lets it do nothing more', () => {
    const coordinator = newCoordinator();
    const { producerId, epoch } = coordinator.init('id', 1_000);
    coordinator.add('id', { producerId, epoch }, ['t/0']);
    expect(coordinator.init('id', 1_000).errorCode).toBe(codes.concurrentTransactions);
    expect(coordinator.end('id', { producerId, epoch }, true)).toBe(codes.invalidProducerEpoch);
    jest.advanceTimersByTime(5);
    expect(marks).toEqual([['t/0', 1, false]]);
    expect(coordinator.init('id', 1_000)).toEqual({ errorCode: codes.none, producerId, epoch: 2 });
  });

  it('aborts what nobody ends in time', () => {
    const coordinator = newCoordinator();
    const { producerId, epoch } = coordinator.init('id', 1_000);
    coordinator.add('id', { producerId, epoch }, ['t/0']);
    jest.advanceTimersByTime(1_005);
    expect(marks).toEqual([['t/0', 1, false]]);
    expect(coordinator.end('id', { producerId, epoch }, true)).toBe(codes.invalidProducerEpoch);
  });
});

describe('its version 2', () => {
  it('gives each transaction an epoch of its own, and marks the one that ended with it', () => {
    const coordinator = newCoordinator();
    const { producerId, epoch } = coordinator.init('id', 1_000);
    coordinator.add('id', { producerId, epoch }, ['t/0']);
    const next = coordinator.endAndBump('id', { producerId, epoch }, true);
    expect(next).toEqual({ errorCode: codes.none, producerId, epoch: 1 });
    expect(coordinator.add('id', next, ['t/0'])).toBe(codes.concurrentTransactions);
    jest.advanceTimersByTime(5);
    expect(marks).toEqual([['t/0', 1, true]]);
    expect(coordinator.add('id', { producerId, epoch }, ['t/0'])).toBe(codes.invalidProducerEpoch);
    expect(coordinator.add('id', next, ['t/0'])).toBe(codes.none);
    expect(coordinator.endAndBump('id', { producerId, epoch }, true).errorCode).toBe(codes.producerFenced);
    coordinator.close();
  });

  it('tells who asks for the same end again what it told before, and refuses the other end', () => {
    const coordinator = newCoordinator();
    const { producerId, epoch } = coordinator.init('id', 1_000);
    coordinator.add('id', { producerId, epoch }, ['t/0']);
    const next = coordinator.endAndBump('id', { producerId, epoch }, true);
    expect(coordinator.endAndBump('id', { producerId, epoch }, true).errorCode).toBe(codes.concurrentTransactions);
    jest.advanceTimersByTime(5);
    expect(coordinator.endAndBump('id', { producerId, epoch }, true)).toEqual(next);
    expect(coordinator.endAndBump('id', { producerId, epoch }, false).errorCode).toBe(codes.invalidTxnState);
    expect(marks).toHaveLength(1);
  });

  it('goes on with another producer id when the epochs of one are used up', () => {
    const coordinator = new Transactions({ markerDelay: () => 0, mark: () => undefined, lastEpoch: 1 });
    const producer = coordinator.init('id', 1_000);
    const abort = (one: { producerId: number; epoch: number }) => coordinator.endAndBump('id', one, false);
    const next = abort(producer);
    expect(next).toMatchObject({ producerId: producer.producerId, epoch: 1 });
    expect(abort(next)).toMatchObject({ producerId: producer.producerId + 1, epoch: 0 });
    expect(coordinator.endAndBump('id', abort(abort(next)), true).errorCode).toBe(codes.invalidTxnState);
  });
});

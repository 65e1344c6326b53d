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

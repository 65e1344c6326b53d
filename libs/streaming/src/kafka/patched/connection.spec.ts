import groupMessagesPerPartition from 'kafkajs/src/producer/groupMessagesPerPartition.js';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { silent } from '../../../testing/scripted-client.ts';
import { assertPatched } from '../assert-patched.ts';

describe('the bus', () => {
  it('finds the client patched', () => {
    expect(assertPatched).not.toThrow();
  });
});

describe('patch 002, idle timer', () => {
  it('schedules nothing while no request waits', () => {
    jest.useFakeTimers();
    try {
      const queue = new RequestQueue({ logger: silent, maxInFlightRequests: 1, requestTimeout: 1_000, clientId: 'c', broker: 'b' });
      queue.checkPendingRequests();
      expect(jest.getTimerCount()).toBe(0);
      queue.throttledUntil = Date.now() + 50;
      queue.push({ entry: { correlationId: 1 }, expectResponse: true, sendRequest: () => undefined });
      expect(jest.getTimerCount()).toBe(1);
      queue.destroy();
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('patch 020, timeout check', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const connected = () => {
    const queue = new RequestQueue({ logger: silent, requestTimeout: 1_000, enforceRequestTimeout: true, clientId: 'c', broker: 'b' });
    queue.scheduleRequestTimeoutCheck();
    return queue;
  };
  const ask = (queue: ReturnType<typeof connected>, correlationId: number, requestTimeout?: number) => {
    const reject = jest.fn();
    queue.push({ entry: { correlationId, reject, resolve: () => undefined }, expectResponse: true, sendRequest: () => undefined, requestTimeout }); // prettier-ignore
    return reject;
  };

  it('sleeps while nothing is in flight', () => {
    const queue = connected();
    expect(jest.getTimerCount()).toBe(0);
    ask(queue, 1);
    expect(jest.getTimerCount()).toBe(1);
    queue.destroy();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends each request when it is overdue, a short one sent after a long one too', () => {
    const queue = connected();
    const long = ask(queue, 1, 5_000);
    jest.advanceTimersByTime(500);
    const short = ask(queue, 2);
    jest.advanceTimersByTime(1_000);
    expect(short).not.toHaveBeenCalled();
    jest.advanceTimersByTime(2);
    expect(short).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(3_000);
    expect(long).not.toHaveBeenCalled();
    jest.advanceTimersByTime(500);
    expect(long).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves alone what was answered in time', () => {
    const queue = connected();
    const reject = ask(queue, 1);
    jest.advanceTimersByTime(900);
    queue.fulfillRequest({ correlationId: 1, payload: undefined, size: 0 });
    const later = ask(queue, 2);
    jest.advanceTimersByTime(900);
    expect(reject).not.toHaveBeenCalled();
    expect(later).not.toHaveBeenCalled();
    jest.advanceTimersByTime(102);
    expect(later).toHaveBeenCalledTimes(1);
  });
});

describe('patch 003, linear grouping', () => {
  it('groups without copying what it has grouped so far', () => {
    const iterator = Array.prototype[Symbol.iterator];
    let copied = 0;
    Array.prototype[Symbol.iterator] = function* (this: unknown[]) {
      for (let i = 0; i < this.length; i++) yield (copied++, this[i]);
    } as typeof iterator;
    try {
      const messages = Array.from({ length: 300 }, (_, i) => ({ partition: i % 2 }));
      const partitioner = ({ message: { partition } }: { message: { partition: number } }) => partition;
      const grouped = groupMessagesPerPartition({ topic: 't', partitionMetadata: [{}, {}], messages, partitioner });
      const copiedByThen = copied;
      expect(grouped[0].length + grouped[1].length).toBe(300);
      expect(copiedByThen).toBeLessThan(10);
    } finally {
      Array.prototype[Symbol.iterator] = iterator;
    }
  });
});

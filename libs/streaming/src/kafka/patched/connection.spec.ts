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

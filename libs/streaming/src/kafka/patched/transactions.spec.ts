import { managerOf, producerOf, runTransaction, silent } from '../../../testing/scripted-client.ts';
import { internals } from '../internals.ts';

describe('patch 004, concurrent transactions', () => {
  it('asks again while the markers of the previous transaction are written, for partitions and for offsets', async () => {
    const { manager, calls } = managerOf(3);
    await manager.initProducerId();
    await runTransaction(manager);
    expect(calls).toMatchObject({ added: 4, offsets: 4 });
  });
});

describe('patch 006, coordinator cache', () => {
  it('looks each coordinator up once for any number of transactions', async () => {
    const { manager, calls } = managerOf(0);
    await manager.initProducerId();
    for (let i = 0; i < 5; i++) await runTransaction(manager);
    // One for the transaction, found by the initialisation, and one for the group.
    expect(calls.found).toBe(2);
  });
});

describe('patch 008, unsettled send', () => {
  it('refuses a send that waited for one whose answer was lost: it would be taken for a repetition and dropped', async () => {
    const { eosManager, send, values } = producerOf(['answer lost']);
    await eosManager.initProducerId();
    const [first, second] = await Promise.allSettled([send('a'), send('b')]);
    expect([first.status, second.status]).toEqual(['rejected', 'rejected']);
    expect(String((second as PromiseRejectedResult).reason)).toMatch(/Use a new producer/);
    await expect(send('c')).rejects.toThrow('Use a new producer');
    expect(values()).toEqual(['a']);
  });

  it('lets the same send try again, and goes on after it was acknowledged', async () => {
    const { eosManager, send, values } = producerOf(['answer lost'], 1);
    await eosManager.initProducerId();
    await send('a');
    await send('b');
    expect(values()).toEqual(['a', 'b']);
  });

  it('begins no transaction on a producer with an unsettled send', async () => {
    const { manager } = managerOf(0);
    await manager.initProducerId();
    manager.markUnsettled({});
    expect(() => manager.beginTransaction()).toThrow('Use a new producer');
  });
});

describe('patch 009, names of coordinator errors', () => {
  it.each(['GROUP_LOAD_IN_PROGRESS', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP'])(
    'asks again after %s',
    async (type) => {
      const { manager, broker } = managerOf(0, { retries: 2, initialRetryTime: 1, factor: 0 });
      let refusals = 1;
      broker.txnOffsetCommit = async () => {
        if (refusals-- > 0) throw Object.assign(new Error(type), { type, retriable: true });
      };
      await manager.initProducerId();
      await runTransaction(manager);
      expect(refusals).toBe(-1);
    },
  );
});

describe('patch 017, transaction retry', () => {
  it('tries the steps of a transaction as often as the client was told to', async () => {
    const { manager, calls, broker } = managerOf(0, { retries: 6, initialRetryTime: 1, factor: 0 });
    expect(new internals.Cluster({ brokers: ['localhost:1'], logger: silent, retry: { retries: 6 } })).toHaveProperty('retry', {
      retries: 6,
    });
    broker.initProducerId = async () => {
      calls.added++;
      throw Object.assign(new Error('loading'), { type: 'GROUP_LOAD_IN_PROGRESS', retriable: true });
    };
    await expect(manager.initProducerId()).rejects.toThrow('loading');
    expect(calls.added).toBe(7);
  });
});

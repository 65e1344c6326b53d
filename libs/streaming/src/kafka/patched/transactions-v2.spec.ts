import { managerOf, producerOf, runTransaction } from '../../../testing/scripted-client.ts';

describe('patch 019, transactions of version 2', () => {
  /** As `managerOf`, where the cluster speaks version 2: each end answers with the next epoch of producer 1. */
  function managerOfV2(refusals = 0) {
    const { manager, calls, broker } = managerOf(0);
    let [epoch, left] = [0, refusals];
    const sent: object[] = [];
    const answer = (request: object) => {
      sent.push(request);
      if (left-- > 0) throw Object.assign(new Error('concurrent'), { type: 'CONCURRENT_TRANSACTIONS' });
      left = refusals;
    };
    Object.assign(broker, {
      versions: { transactionsV2: true },
      produce: async (request: object) => answer(request),
      txnOffsetCommit: async (request: object) => answer(request),
      endTxn: async (request: object) => {
        sent.push(request);
        return { producerId: '1', producerEpoch: ++epoch };
      },
    });
    const produce = () =>
      manager.produceWith(() => (broker as unknown as { produce: (r: object) => unknown }).produce(manager.getIdentity()));
    return { manager, calls, sent, produce };
  }

  it('adds neither partitions nor offsets, and gives each transaction the epoch that ended the one before and sequence numbers from 0', async () => {
    const { manager, calls, sent } = managerOfV2();
    await manager.initProducerId();
    for (let i = 0; i < 2; i++) {
      expect(manager.getSequence('t', 0)).toBe(0);
      manager.updateSequence('t', 0, 5);
      await runTransaction(manager);
    }
    expect(calls).toMatchObject({ added: 0, offsets: 0 });
    const v2 = (producerEpoch: number) => expect.objectContaining({ producerEpoch, isV2: true });
    expect(sent).toEqual([v2(0), v2(0), v2(1), v2(1)]);
    expect(manager.getIdentity()).toMatchObject({ producerId: '1', producerEpoch: 2 });
    expect(manager.getSequence('t', 0)).toBe(0);
  });

  it('asks again while the markers of the previous transaction are written, for records and for offsets', async () => {
    const { manager, sent, produce } = managerOfV2(2);
    await manager.initProducerId();
    manager.beginTransaction();
    await manager.addPartitionsToTransaction([{ topic: 't', partitions: [{ partition: 0 }] }]);
    await produce();
    expect(sent).toHaveLength(3);
    await manager.sendOffsets({ consumerGroupId: 'g', topics: [] });
    expect(sent).toHaveLength(6);
  });

  it('ends no transaction that is empty', async () => {
    const { manager, sent } = managerOfV2();
    await manager.initProducerId();
    manager.beginTransaction();
    await manager.abort();
    expect(sent).toEqual([]);
  });

  it('keeps the epoch of a send for its retry, so that it cannot land in the next transaction', async () => {
    const epochs: number[] = [];
    const { eosManager, send } = producerOf(['answer lost'], 1, async ({ producerEpoch }) => {
      epochs.push(producerEpoch);
      if (epochs.length > 1) return;
      // Whoever commits without waiting for what it sent.
      await eosManager.commit();
      eosManager.beginTransaction();
    });
    await eosManager.initProducerId();
    eosManager.beginTransaction();
    await send('a');
    expect([...epochs, eosManager.getProducerEpoch()]).toEqual([0, 0, 1]);
  });
});

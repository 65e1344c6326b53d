import { producerDefaults, send } from './writer.ts';

const place = (partition: number) => ({ topic: 't', partition, key: null, value: Buffer.from('v') });

describe('what a writer asks of the client', () => {
  it('leaves the choice of a partition never to the client, whose retry would choose anew for keyless records', () => {
    const partitioner = producerDefaults.createPartitioner();
    expect(partitioner({ message: { partition: 3 } })).toBe(3);
    expect(() => partitioner({ message: {} })).toThrow('without a partition');
  });

  it('believes a write only when each partition was acknowledged: the client passes over those whose leader moved in a retry', async () => {
    const acknowledged = [{ topicName: 't', partition: 0, errorCode: 0 }];
    await expect(send(async () => acknowledged, [place(0), place(1)])).rejects.toThrow('not acknowledged: t/1');
    await expect(send(async () => acknowledged, [place(0)])).resolves.toBeUndefined();
  });
});

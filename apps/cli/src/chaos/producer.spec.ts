import { memoryBus } from '@sluice/streaming';
import { CellProducer } from './producer.ts';

it('the producer of a cell whose broker is not there yet begins anew until it is', async () => {
  const bus = memoryBus();
  await bus.ensureTopics([{ name: 'requests', partitions: 1 }]);
  let tries = 0;
  const openPublisher = (): ReturnType<typeof bus.openPublisher> =>
    ++tries < 3 ? Promise.reject(new Error('connection refused')) : bus.openPublisher();
  const producer = new CellProducer(() => Object.assign(Object.create(bus) as typeof bus, { openPublisher }));
  await producer.publish([{ topic: 'requests', key: null, value: Buffer.from('a') }]);
  expect(await bus.readAll(['requests'])).toHaveLength(1);
  expect(tries).toBe(3);
});

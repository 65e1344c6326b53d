/**
 * Logs and the pipes between them: the only importer of the Kafka client. An app's logic is a `Processor`; the same object
 * runs in the exactly-once pipe on Kafka and in the in-memory driver.
 *
 * @example
 * const bus = memoryBus();
 * await bus.ensureTopics([{ name: 'in', partitions: 2 }, { name: 'out', partitions: 2 }, { name: 'dead', partitions: 1 }]);
 * await bus.openPipe({
 *   group: 'copy', topics: ['in'], delivery: 'exactly-once', maxSlice: 500, lingerMs: 5, deadLetters: 'dead',
 *   processor: () => ({ process: (slice) => slice.map((record) => ({ ...record, topic: 'out', from: record })) }),
 * });
 * await (await bus.openPublisher()).publish([{ topic: 'in', key: Buffer.from('a'), value: Buffer.from('1') }]);
 * await bus.settle();
 * (await bus.readAll(['out'])).length; // 1
 */
export type {
  Bus,
  Headers,
  InRecord,
  OutRecord,
  Pipe,
  PipeSpec,
  PipeStats,
  Processor,
  Publisher,
  Reader,
  ReaderSpec,
  Table,
  TableSpec,
  TopicPartition,
  TopicSpec,
} from './port.ts';
export { memoryBus, type MemoryBus, type MemoryBusOptions } from './memory/bus.ts';
export { kafkaBus } from './kafka/bus.ts';
export type { BusLogger, KafkaBusOptions } from './kafka/client.ts';
export { murmur2, partitionFor } from './murmur2.ts';
export { readSource } from './records.ts';

/**
 * A Kafka cluster in one process and in virtual time: it speaks the wire protocol to kafkajs over sockets in memory, and goes wrong by seed.
 *
 * @example
 * const result = await runSeed(505);
 * result.violations; // []: everything once, in order, committed
 * result.digest; // of every byte with its time: the same again for the same seed
 */
export { Cluster, type ClusterOptions } from './model/cluster.ts';
export { addressOf } from './model/handler.ts';
export { Network, type Fate, type NetworkOptions } from './model/network.ts';
export { inVirtualTime, type VirtualTime } from './simulation/virtual-time.ts';
export { runSeed, type SeedOptions, type SeedResult } from './simulation/run-seed.ts';

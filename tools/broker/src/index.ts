/**
 * A real Kafka wherever the code runs: a ladder of brokers, and a judge that is not our own client.
 *
 * @example
 * const broker = await openBroker({ onStep: console.log });
 * broker.kind; // 'jvm'
 * broker.brokers; // '127.0.0.1:35211'
 * await broker.close();
 */
export { openBroker } from './open-broker.ts';
export type { BrokerHandle, BrokerKind, BrokerOptions, JudgeTools } from './handle.ts';
export { defaultStateDir } from './state-dir.ts';
export { kafkaVersion } from './kafka-jars.ts';
export { reach } from './kafka-api.ts';
export { readWithJava, type JavaReadOptions } from './java-reader.ts';
export type { JudgeRecord } from './console-format.ts';
export { isClean, judge, type JudgeInput, type Verdict } from './judge.ts';
export { passJudgement, type JudgedRun, type Judgement } from './pass-judgement.ts';
export { Cluster, type ClusterNode, type ClusterOptions } from './cluster.ts';
export { KafkaProxy, type Exchange, type LinkState } from './kafka-proxy.ts';

import { delayText, retries, type Flow } from '@sluice/domain';
import { catalogTopic, flagsTopic, healthTopic, policyTopic, topicsOf } from './topics.ts';

/** `message.max.bytes` of a broker that says nothing: topics never get less. */
const kafkaDefault = 1_048_588;
const dayMs = 24 * 60 * 60 * 1000;

/** How a topic of ours has to be created; structurally a `TopicSpec` of `@sluice/streaming`. */
export interface TopicDeclaration {
  readonly name: string;
  readonly partitions: number;
  readonly compacted?: boolean;
  readonly retention?: number;
  readonly maxMessageBytes?: number;
  readonly minCompactionLag?: number;
}

/**
 * Every topic that a flow needs. Model, prediction and shadow topics have the partitions of the request topic, because a
 * record keeps its partition on its way: that is what keeps the order of a key.
 */
export function topicSpecs(flow: Flow): readonly TopicDeclaration[] {
  const topics = topicsOf(flow.flow);
  const { partitions } = flow.request;
  // Room for the tag and the other headers beside a value of the largest accepted size. The limit holds for whole batches too,
  // and a pipe writes up to 700 kB in one.
  const maxMessageBytes = Math.max(kafkaDefault, flow.request.maxBytes + 262_144);
  const wide = (name: string): TopicDeclaration => ({ name, partitions, maxMessageBytes });
  return [
    wide(topics.requests),
    ...flow.tiers.map(({ model }) => wide(topics.model(model))),
    ...(retries(flow) ? flow.retry.delaysMs.map((delay) => wide(topics.retry(delayText(delay)))) : []),
    { name: topics.predictions, partitions },
    { name: topics.shadow, partitions },
    { name: topics.outcomes, partitions },
    { name: topics.facts, partitions },
    { name: topics.joinChangelog, partitions, compacted: true },
    { name: topics.examples, partitions: 1 },
    wide(topics.deadLetters),
    // Which dead letters were sent again: key = where the letter stands.
    { name: topics.redriven, partitions: 1, compacted: true },
    // Superseded policies stay readable for a week, so that a decision can be explained with the policy it cites.
    { name: policyTopic, partitions: 1, compacted: true, minCompactionLag: 7 * dayMs, maxMessageBytes: 2_000_000 },
    { name: healthTopic, partitions: 1, compacted: true },
    { name: catalogTopic, partitions: 1, compacted: true },
    { name: flagsTopic, partitions: 1, compacted: true },
  ];
}

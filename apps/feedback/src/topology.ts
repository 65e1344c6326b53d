import { policyTopic, topicsOf } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';

/**
 * Topics in and out of the three stages of feedback, as data.
 *
 * gather re-keys everything known of an event by its id onto one topic, so that the join needs one topic, one partition
 * and no co-partitioning between producers; join pairs the facts; learn folds the examples in log order.
 */
export function feedbackTopology(flow: Flow) {
  const topics = topicsOf(flow.flow);
  return {
    gather: {
      group: `${flow.flow}-gather`,
      in: [topics.predictions, topics.shadow, topics.outcomes],
      out: [topics.facts, topics.deadLetters],
    },
    join: { group: `${flow.flow}-join`, in: [topics.facts], out: [topics.examples, topics.joinChangelog, topics.deadLetters] },
    learn: { group: `${flow.flow}-learn`, in: [topics.examples], out: [policyTopic] },
    deadLetters: topics.deadLetters,
  } as const;
}

import { catalogTopic, policyTopic, topicsOf } from '@sluice/contracts';
import { delayText, retries, type Flow, type TierSpec } from '@sluice/domain';

/** Topics in and out of the worker of one tier, as data. */
export function inferenceTopology(flow: Flow, tier: TierSpec) {
  const topics = topicsOf(flow.flow);
  return {
    group: `${flow.flow}-${tier.model}`,
    in: [topics.model(tier.model)],
    tables: [policyTopic, catalogTopic],
    out: [
      topics.predictions,
      topics.shadow,
      ...flow.tiers.map(({ model }) => topics.model(model)),
      ...(retries(flow) ? flow.retry.delaysMs.map((delay) => topics.retry(delayText(delay))) : []),
      topics.deadLetters,
    ],
    deadLetters: topics.deadLetters,
  } as const;
}

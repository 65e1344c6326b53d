import { policyTopic, topicsOf } from '@sluice/contracts';
import { delayText, type Flow } from '@sluice/domain';

/** Topics in and out of the router of one flow, as data. */
export function routerTopology(flow: Flow) {
  const topics = topicsOf(flow.flow);
  return {
    group: `${flow.flow}-router`,
    in: [topics.requests],
    tables: [policyTopic],
    out: [...flow.tiers.map(({ model }) => topics.model(model)), topics.deadLetters],
    deadLetters: topics.deadLetters,
  } as const;
}

/** The same of what brings records back that were put aside. */
export function retryTopology(flow: Flow) {
  const topics = topicsOf(flow.flow);
  return {
    group: `${flow.flow}-retry`,
    in: flow.retry.delaysMs.map((delay) => topics.retry(delayText(delay))),
    out: [...flow.tiers.map(({ model }) => topics.model(model)), topics.deadLetters],
    deadLetters: topics.deadLetters,
  } as const;
}

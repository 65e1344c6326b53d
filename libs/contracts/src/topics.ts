import { segment } from '@sluice/domain';

/** Kinds of topics that belong to one flow; `model` has one topic per model, `retry` one per delay. */
export const topicKinds = [
  'requests',
  'model',
  'predictions',
  'shadow',
  'outcomes',
  'facts',
  'examples',
  'dead-letters',
  'redriven',
  'retry',
  'join-changelog',
] as const;
export type TopicKind = (typeof topicKinds)[number];

/** Compacted, key = flow: what the learner published last. */
export const policyTopic = 'sluice.policy';
/** Compacted, key = flow/model/instance: what each worker published last. */
export const healthTopic = 'sluice.health';
/** Compacted, key = model: the version that workers are to serve. */
export const catalogTopic = 'sluice.catalog';

/** Compacted, key = flow/tier: why an operator switched a tier off, in plain text; a deleted key is a tier switched on. */
export const flagsTopic = 'sluice.flags';

/** Every topic of one flow. */
export interface FlowTopics {
  readonly requests: string;
  readonly predictions: string;
  readonly shadow: string;
  readonly outcomes: string;
  readonly facts: string;
  readonly examples: string;
  readonly deadLetters: string;
  readonly redriven: string;
  readonly joinChangelog: string;
  model(name: string): string;
  /** @param delay as `delayText` gives it. */
  retry(delay: string): string;
}

export interface ParsedTopic {
  readonly flow: string;
  readonly kind: TopicKind;
  /** Only for kind `model`. */
  readonly model?: string;
  /** Only for kind `retry`: `5s`. */
  readonly delay?: string;
}

/** The one place where topic names are built. `flow` and model names are segments of `@sluice/domain`, which the flow schema checks. */
export function topicsOf(flow: string): FlowTopics {
  return {
    requests: `${flow}.requests`,
    predictions: `${flow}.predictions`,
    shadow: `${flow}.shadow`,
    outcomes: `${flow}.outcomes`,
    facts: `${flow}.facts`,
    examples: `${flow}.examples`,
    deadLetters: `${flow}.dead-letters`,
    redriven: `${flow}.redriven`,
    joinChangelog: `${flow}.join-changelog`,
    model: (name) => `${flow}.model.${name}`,
    retry: (delay) => `${flow}.retry.${delay}`,
  };
}

/** Reads a topic name back; undefined when it is none of ours. */
export function parseTopic(name: string): ParsedTopic | undefined {
  const [flow, kind, model, ...rest] = name.split('.');
  if (flow === undefined || !isSegment(flow) || rest.length > 0) return undefined;
  if (kind === 'model') return model !== undefined && isSegment(model) ? { flow, kind, model } : undefined;
  if (kind === 'retry') return model !== undefined && /^\d+(ms|s|m|h)$/.test(model) ? { flow, kind, delay: model } : undefined;
  return model === undefined && isKind(kind) ? { flow, kind } : undefined;
}

const isSegment = (text: string): boolean => segment.safeParse(text).success;
const isKind = (text: string | undefined): text is TopicKind => (topicKinds as readonly (string | undefined)[]).includes(text);

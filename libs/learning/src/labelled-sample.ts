import type { EpochMs, Example, PolicyVersion } from '@sluice/domain';
import type { KnownEvent } from './serve.ts';

/**
 * An event of a labelled sample as an example: what each tier answers and the truth, and nobody who was served. Put before the stream such
 * examples take the place of its warm-up (`sluice warm-start`); the learner folds them like any other, so replays need nothing else.
 */
export function labelledExample({ id, signature, answers, truth }: KnownEvent, at: EpochMs): Example {
  return {
    ...{ id, at, signature, answers, truth },
    part: 'truth',
    tier: nobody,
    policyVersion: 0 as PolicyVersion,
    harm: 0,
    cost: 0,
    heavyOnly: true,
    segment: '',
    source: null,
    audit: { probability: 1, drawn: true },
    served: null,
  };
}

export function isLabelled({ tier, part, truth }: Example): boolean {
  return tier === nobody && part === 'truth' && truth !== null;
}

/** Served nobody. Learners from before there were samples pass over a tier that their flow does not have. */
const nobody = '';

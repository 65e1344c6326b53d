import type { Flow, PolicySnapshot } from '@sluice/domain';
import { warmUp } from './audit.ts';

/** Stop threshold of a flow without history: docs/routing.md 3b starts theta at ln 0.02. */
export const startThreshold = 0.02;

/**
 * The policy in force before the learner has published any: version 0, no heads. With a warm-up declared, heavy serves
 * everything; without one the missing heads (harm 0.5) send every doubtful answer to heavy until there are some.
 */
export function initialPolicy(flow: Flow): PolicySnapshot {
  const warming = flow.controller.warmUp > 0;
  return {
    flow: flow.flow,
    version: 0,
    examplesOffset: 0,
    threshold: startThreshold,
    heavyOnly: warming,
    reason: warming ? warmUp : 'controlled',
    auditRate: flow.audit.rate,
    heads: [],
    panels: [],
    learner: new Uint8Array(0),
    certificate: null,
    budgetLeft: null,
    segments: [],
    heard: [],
  };
}

/** `reason` of a policy that was not renewed within its lease, or that knows too little of the requests before the one to decide. */
export const stale = 'stale';

/** What such a policy becomes: the same version at its safe end; one that is there already stays what it is. */
export function stalePolicy(policy: PolicySnapshot): PolicySnapshot {
  return policy.heavyOnly ? policy : { ...policy, heavyOnly: true, reason: stale };
}

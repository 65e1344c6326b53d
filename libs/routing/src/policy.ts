import type { Flow, Head, PolicySnapshot } from '@sluice/domain';
import { warmUp } from './audit.ts';
import { headWidth } from './heads.ts';

/** Stop threshold of a flow without history: routing.md 3b starts theta at ln 0.02. */
export const startThreshold = 0.02;

/**
 * The policy in force before the learner has published any: version 0, no heads. With a warm-up declared, heavy serves
 * everything; without one the missing heads (harm 0.5) send every doubtful answer to heavy until there are some.
 *
 * @param signatureWidth columns of the flow's signature; kept for policies that start with heads.
 */
export function initialPolicy(flow: Flow, _signatureWidth: number): PolicySnapshot {
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
    learner: new Uint8Array(0),
  };
}

export interface StaticPolicyOptions {
  readonly threshold?: number;
  readonly heads?: readonly Head[];
  readonly version?: number;
  /** Width of the flow's signature; needed for the built-in heads, which read the confidence only. */
  readonly signatureWidth: number;
}

/**
 * A policy that nothing moves, for flows whose controller is off. Without heads of its own it takes a tier's doubt, 1 - confidence, for its harm:
 * the fixed confidence threshold that most cascades use, `stop iff confidence >= 1 - threshold`, and the yardstick the controller must beat.
 */
export function staticPolicy(flow: Flow, options: StaticPolicyOptions): PolicySnapshot {
  const { threshold = startThreshold, version = 0, signatureWidth } = options;
  const heads = options.heads ?? flow.tiers.slice(0, -1).flatMap((tier) => confidenceHeads(flow, tier.name, signatureWidth));
  return {
    flow: flow.flow,
    version,
    examplesOffset: 0,
    threshold,
    heavyOnly: false,
    reason: 'static',
    auditRate: flow.audit.rate,
    heads,
    learner: new Uint8Array(0),
  };
}

/** A stop head whose harm is 1 - confidence, and a route head that expects little harm, so that the lightest tier runs first. */
function confidenceHeads(flow: Flow, tier: string, signatureWidth: number): Head[] {
  const labels = flow.labels.length;
  const stop = new Float32Array(headWidth(signatureWidth, labels, 'stop'));
  // Column 3 of the outputs is logit(confidence) / 4.6: harm = sigmoid(-logit(confidence)) = 1 - confidence.
  stop[signatureWidth + 3] = -4.6;
  const route = new Float32Array(headWidth(signatureWidth, labels, 'route'));
  return [
    { tier, stage: 'stop', weights: stop },
    { tier, stage: 'route', weights: route },
  ];
}

import { parseFlow, type Answer, type Flow, type Head, type PolicySnapshot, type SparseRow, type Tag } from '@sluice/domain';
import { headWidth, logit } from '../heads.ts';
import type { RouteDecision, RouteInput } from '../route.ts';

/** Three labels and a signature of four columns, whose first is the bias: enough to compute every decision by hand. */
export const signatureWidth = 4;

const tierNames = ['fast', 'standard', 'heavy'];

export function sampleFlow(tiers: readonly string[] = tierNames, more: object = {}): Flow {
  return parseFlow({
    flow: 'mail',
    description: 'A flow for tests.',
    request: { schemas: ['mail.avsc'] },
    labels: ['ham', 'spam', 'other'],
    signature: [{ field: 'size', kind: 'number', min: 0, max: 1 }],
    target: {},
    tiers: tiers.map((name) => ({ name, model: `mail-${name}` })),
    ...more,
  });
}

/** A head that gives every event the same harm: all its weight is on the bias. */
export function constantHead(tier: string, stage: Head['stage'], harm: number): Head {
  const weights = new Float32Array(headWidth(signatureWidth, 3, stage));
  weights[0] = logit(harm);
  return { tier, stage, weights };
}

export interface Harms {
  readonly [tier: string]: readonly [route: number, stop: number];
}

export function samplePolicy(harms: Harms, more: Partial<PolicySnapshot> = {}): PolicySnapshot {
  const heads = Object.entries(harms).flatMap(([tier, [route, stop]]) => [
    constantHead(tier, 'route', route),
    constantHead(tier, 'stop', stop),
  ]);
  return {
    flow: 'mail',
    version: 7,
    examplesOffset: 0,
    threshold: 0.02,
    heavyOnly: false,
    reason: 'controlled',
    auditRate: 0.04,
    heads,
    panels: [],
    learner: new Uint8Array(0),
    certificate: null,
    budgetLeft: null,
    segments: [],
    heard: [],
    ...more,
  };
}

export const biasOnly: SparseRow = { indices: Uint16Array.of(0), values: Float32Array.of(1) };

export function sampleRoute(policy: PolicySnapshot, more: Partial<RouteInput> = {}): RouteInput {
  return {
    id: 'event-1',
    flow: sampleFlow(),
    policy,
    costs: [0.05, 0.25, 1],
    queuePrices: [0, 0, 0],
    signature: biasOnly,
    signatureWidth,
    now: 1_000_000,
    ...more,
  };
}

export function sampleTag(input: RouteInput, decision: RouteDecision): Tag {
  return {
    id: input.id,
    flow: input.flow.flow,
    source: { topic: 'mail.requests', partition: 0, offset: 41 },
    requestedAt: input.now - 5,
    routedAt: input.now,
    deadlineAt: input.now + 30_000,
    policyVersion: input.policy.version,
    schema: 0,
    shadow: false,
    propensity: decision.propensity,
    slip: decision.slip,
    signature: input.signature,
    trail: [decision.step],
    answers: [],
  };
}

export function sampleAnswer(tier: string, more: Partial<Answer> = {}): Answer {
  return { tier, model: `mail-${tier}`, version: '1.0.0', label: 1, confidence: 0.71, margin: 0.5, entropy: 0.7, ...more };
}

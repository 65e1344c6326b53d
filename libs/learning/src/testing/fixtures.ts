import { parseFlow, type Answer, type Example, type Flow, type Prediction } from '@sluice/domain';
import type { OutcomeFact, PredictionFact, ShadowFact } from '../join/fact.ts';

export const tierNames = ['fast', 'standard', 'heavy'] as const;

interface FlowParts {
  readonly controller?: object;
  readonly feedback?: object;
  readonly target?: object;
  readonly tiers?: readonly object[];
  readonly fusion?: object;
}

/** A flow of three tiers and two labels with everything else by default. */
export function flowOf(parts: FlowParts = {}): Flow {
  return parseFlow({
    flow: 'mail',
    description: 'Sorts mail.',
    request: { schemas: ['mail.avsc'] },
    labels: ['ham', 'spam'],
    signature: [{ field: 'size', kind: 'number', min: 0, max: 1 }],
    tiers: tierNames.map((name) => ({ name, model: `mail-${name}` })),
    target: {},
    ...parts,
  });
}

export function answerOf(tier: string, label: number): Answer {
  return { tier, model: `mail-${tier}`, version: '1', label, confidence: 0.75, margin: 0.5, entropy: 0.5 };
}

export const signature = { indices: Uint16Array.of(0, 3), values: Float32Array.of(1, 0.5) };

/** An example of an event that `tier` served; answers are labels by tier, in the order they ran. */
export function exampleOf(parts: Partial<Example> & Pick<Example, 'id' | 'part'>): Example {
  const given = {
    segment: '',
    source: null,
    policyVersion: 1,
    at: 0,
    tier: 'fast',
    harm: 0.01,
    cost: 0.1,
    heavyOnly: false,
    served: null,
    truth: null,
    signature,
  };
  return { ...given, audit: { probability: 0.04, drawn: false }, answers: [answerOf('fast', 0)], ...parts };
}

export interface PredictionParts {
  readonly id: string;
  readonly at: number;
  /** Tiers that ran for the user, the serving one last. */
  readonly ran?: readonly string[];
  readonly drawn?: boolean;
}

export function predictionFact({ id, at, ran = ['fast'], drawn = false }: PredictionParts): PredictionFact {
  const tier = ran[ran.length - 1]!;
  const slip = { tiers: [], position: 0, threshold: 0.02, heavyOnly: false, auditRate: 0.04, auditDraw: 0.5, budget: null, segment: '' };
  const prediction: Prediction = {
    id,
    flow: 'mail',
    source: { topic: 'mail.requests', partition: 0, offset: 0 },
    requestedAt: at,
    routedAt: at,
    deadlineAt: at,
    policyVersion: 7,
    tier,
    model: `mail-${tier}`,
    version: '1',
    label: 'ham',
    confidence: 0.75,
    harm: 0.015625,
    cost: 0.25,
    propensity: 1,
    slip,
    audit: { probability: 0.125, drawn },
    signature,
    trail: [],
    answers: ran.map((name) => answerOf(name, 0)),
  };
  return { kind: 'prediction', prediction, loggedAt: at };
}

export function shadowFact(id: string, tier: string, loggedAt = 0): ShadowFact {
  const source = { topic: 'mail.requests', partition: 0, offset: 0 };
  return { kind: 'shadow', shadow: { id, flow: 'mail', source, answer: answerOf(tier, 1) }, loggedAt };
}

export function outcomeFact(id: string, at: number, label = 'spam'): OutcomeFact {
  const value = new TextEncoder().encode(`outcome of ${id} at ${at}`);
  return { kind: 'outcome', outcome: { id, label, at, origin: 'truth' }, value, origin: `mail.outcomes/0/${at}`, loggedAt: at };
}

import { parseFlow, type Answer, type Flow } from '@sluice/domain';
import { binaryAnswer, seededRandom, shuffled, simulate, type KnownEvent, type Serving } from '@sluice/learning/simulation';
import type { PolicySnapshot } from '@sluice/domain';
import type { FrugalmlSet, Service } from './data-set.ts';

/** The rule of FrugalML's authors: a permutation per seed, its first half to train on, the second to test on. */
export const splitSeeds = [1, 5, 10, 50, 100] as const;

/** Training examples that a learner folds, repeats included: small sets are gone through more often. */
const folds = { examples: 100_000, mostPasses: 16, fewestPasses: 2 };

/** One set, split: the services as tiers of one flow, the best of the training half as reference. */
export interface Contest {
  readonly serving: Serving;
  /** Of the tiers, cheapest first and the reference last. */
  readonly services: readonly Service[];
  readonly train: readonly KnownEvent[];
  readonly test: readonly KnownEvent[];
}

export function contestOf(set: FrugalmlSet, seed: number): Contest {
  const order = shuffled(
    Array.from(set.truths, (_, event) => event),
    seededRandom(seed),
  );
  const half = Math.floor(order.length / 2);
  const services = tiersOf(set, order.slice(0, half));
  const events = order.map((event) => eventOf(set, services, event));
  const serving = { flow: flowOf(set, services), signatureWidth: 1, costs: services.map(({ cost }) => cost) };
  return { serving, services, train: events.slice(0, half), test: events.slice(half) };
}

/** Any order of cost before the reference: a dearer service that is no better may still be worth asking after it. */
function tiersOf({ services, truths }: FrugalmlSet, train: readonly number[]): Service[] {
  const right = (service: Service): number => train.filter((event) => service.labels[event] === truths[event]).length;
  const best = services.reduce((one, other) => (right(other) > right(one) ? other : one));
  return [...services.filter((service) => service !== best).sort((a, b) => a.cost - b.cost), best];
}

/** Nothing is known of an event before a service answered: the signature is the constant alone. */
const signature = { indices: Uint16Array.of(0), values: Float32Array.of(1) };

function eventOf(set: FrugalmlSet, services: readonly Service[], event: number): KnownEvent {
  const answers = services.map((service, tier): Answer => {
    const confidence = Math.min(1 - 1e-6, Math.max(1e-6, service.confidences[event]!));
    return binaryAnswer(`tier-${tier}`, service.labels[event]!, confidence);
  });
  return { id: `${set.name}-${event}`, signature, answers, truth: set.truths[event]! };
}

function flowOf({ name, labels }: FrugalmlSet, services: readonly Service[]): Flow {
  return parseFlow({
    flow: 'frugalml',
    description: `Logged answers of ${services.length} services: ${name}.`,
    request: { schemas: ['none.avsc'] },
    labels: Array.from({ length: labels }, (_, label) => `label-${label}`),
    signature: [{ field: 'none', kind: 'number', min: 0, max: 1 }],
    tiers: services.map((_, tier) => ({ name: `tier-${tier}`, model: `tier-${tier}` })),
    // As good as the money allows: risk is any wrong answer. The threshold is the price, set by hand here.
    target: { primary: 'budget', budget: { perEvent: 1 } },
    // Heavy serves and all tiers run until the learner has seen the whole training half.
    controller: { warmUp: Number.MAX_SAFE_INTEGER },
    fusion: { enabled: true },
  });
}

/** What the learner publishes after the training half. */
export function policyOf({ serving, train }: Contest): PolicySnapshot {
  const passes = Math.min(folds.mostPasses, Math.max(folds.fewestPasses, Math.ceil(folds.examples / train.length)));
  const events = Array.from({ length: passes }, (_, pass) => train.map((event) => ({ ...event, id: `${pass}-${event.id}` }))).flat();
  const { learner } = simulate({ ...serving, events, shadowDelay: 1, truthDelay: 1, publishEvery: Infinity });
  return { ...learner.snapshot(0), heavyOnly: false, reason: 'controlled' };
}

import type { Example, PolicySnapshot } from '@sluice/domain';
import { decisionOf } from '../join/join-event.ts';
import { meanOf, seededRandom, serve, simulate, streamWidth, syntheticStream, type KnownEvent } from '../simulation/index.ts';
import { flowOf, tierNames } from '../testing/fixtures.ts';
import type { Estimate } from './estimate.ts';
import { valuedEvent, valueOf } from './off-policy.ts';
import { ValueSums, type PolicyValue, type ValuedEvent } from './value-sums.ts';

const flow = flowOf();
const serving = { flow, signatureWidth: streamWidth, costs: [0.02, 0.2, 1] };
const delays = { shadowDelay: 50, truthDelay: 200, publishEvery: 50 };
const events = 4000;

function streamOf(seed: number, count = events, regressed = false): KnownEvent[] {
  const stream = { seed, events: count, strengths: [0.75, 1.6, 2.6], tiers: tierNames };
  return syntheticStream({ ...stream, ...(regressed && { regressionFrom: count / 2 }) });
}

const trained = (seed: number): PolicySnapshot => simulate({ ...serving, events: streamOf(seed, 4000), ...delays }).learner.snapshot(0);

const logging = trained(1);
const streams = [11, 12].map((seed) => streamOf(seed, events, seed % 2 === 0));

/** An event as the candidate would have served it, everything known; its audit is still to be drawn. */
function valued(candidate: PolicySnapshot, { id, signature, answers, truth }: KnownEvent): ValuedEvent {
  const { prediction } = serve(serving, logging, { id, signature, answers, truth });
  const decision = decisionOf(serving.flow, prediction);
  const missing = answers.filter(({ tier }) => !prediction.answers.some((answer) => answer.tier === tier));
  return valuedEvent(serving, candidate, { decision, latest: { ...decision, truth, answers: [...decision.answers, ...missing] } });
}

/** The value of a log whose audits are drawn by `seed`. */
function redrawn(stream: readonly ValuedEvent[], seed: number): PolicyValue {
  const random = seededRandom(seed);
  const sums = new ValueSums(1.22);
  for (const event of stream) sums.add({ ...event, drawn: random.uniform() < event.probability });
  return sums.value;
}

const meanActual = (stream: readonly ValuedEvent[], what: 'harm' | 'cost'): number =>
  stream.reduce((sum, { actual }) => sum + actual![what], 0) / stream.length;

const holds = ({ lower, upper }: Estimate, truth: number): boolean => lower <= truth && truth <= upper;

const sizes = [500, 1000, 4000] as const;
const logs = 400;

/** Part `at` of a stream, of `size` events: short logs come from all over the streams. */
function part(stream: readonly ValuedEvent[], size: number, at: number): readonly ValuedEvent[] {
  const from = (at % (events / size)) * size;
  return stream.slice(from, from + size);
}

interface Run {
  readonly value: PolicyValue;
  readonly truth: { readonly loss: number; readonly cost: number };
}

function runsOf(known: readonly (readonly ValuedEvent[])[], size: number): Run[] {
  return Array.from({ length: logs }, (_, run) => {
    const log = part(known[run % 2]!, size, run >> 1);
    return { value: redrawn(log, 1000 + run), truth: { loss: meanActual(log, 'harm'), cost: meanActual(log, 'cost') } };
  });
}

describe.each<[string, Partial<PolicySnapshot>]>([
  ['with three times the threshold', { threshold: 3 * logging.threshold }],
  ['with a fifth of the threshold', { threshold: logging.threshold / 5 }],
  ['with heads of another stream', { heads: trained(2).heads }],
])('the value of a candidate %s', (_, changes) => {
  const known = streams.map((stream) => stream.map((event) => valued({ ...logging, ...changes }, event)));
  const bySize = new Map(sizes.map((size) => [size, runsOf(known, size)]));

  // The intervals are for 95 %; a share of 400 simulated logs scatters around that by 1.1 points (one standard error).
  it.each(sizes.flatMap((size) => (['ips', 'snips', 'dr'] as const).map((kind) => [size, kind] as const)))(
    'lies within the interval from %i events by %s in at least 93.5 %% of 400 logs',
    (size, kind) => {
      const runs = bySize.get(size)!;
      const within = (what: 'loss' | 'cost'): number => runs.filter(({ value, truth }) => holds(value[what][kind], truth[what])).length;
      expect(within('loss') / logs).toBeGreaterThanOrEqual(0.935);
      expect(within('cost') / logs).toBeGreaterThanOrEqual(0.935);
    },
  );

  it('is known better by the doubly robust estimate than by inverse propensity', () => {
    const runs = bySize.get(events)!;
    const error = (kind: 'ips' | 'dr'): number =>
      Math.sqrt(runs.reduce((sum, { value, truth }) => sum + (value.cost[kind].value - truth.cost) ** 2, 0) / runs.length);
    expect(error('dr')).toBeLessThan(error('ips'));
  });
});

describe('a log', () => {
  const stream = streamOf(5, 4000);
  const examples: Example[] = [];
  const run = simulate({
    ...serving,
    ...delays,
    events: stream,
    fold: (learner, example) => (examples.push(example), learner.fold(example), learner),
  });
  const policy = run.learner.snapshot(0);

  it('written by a learner, whose threshold moved and whose parts came late, values another policy', () => {
    const value = valueOf({ ...serving, policy: () => logging }, examples);
    const played = stream.map((event) => serve(serving, logging, event).prediction);
    const harmed = played.filter(
      ({ label }, at) => flow.labels.indexOf(label) !== stream[at]!.truth && stream[at]!.answers[2]!.label === stream[at]!.truth,
    );
    expect(value.events).toBe(stream.length);
    expect(holds(value.loss.dr, harmed.length / stream.length)).toBe(true);
    expect(value.effectiveSamples).toBeGreaterThan(100);
  });

  it('says what always-heavy costs, to the digit: nothing about it is unknown', () => {
    const { loss, cost } = valueOf({ ...serving, policy: () => ({ ...policy, heavyOnly: true, auditRate: 0.001 }) }, examples);
    expect(loss.dr.value).toBe(0);
    expect(cost.dr.value).toBeCloseTo(1, 2);
    expect(meanOf(run.cost)).toBeLessThan(0.9);
  });

  it('that is too short, or whose audits were lost, says so', () => {
    const lost = examples.filter(({ part }) => part === 'decision').slice(300, 900);
    const { doubts, known } = valueOf({ ...serving, policy: () => policy }, lost);
    expect(known).toBeLessThan(lost.length / 2);
    const { loss } = valueOf({ ...serving, policy: () => policy }, []);
    expect([loss.ips.upper, loss.snips.upper, loss.dr.upper]).toEqual([1, 1, 1]);
    expect(doubts.join()).toMatch(/equally weighted events would.*never answered/);
  });
});

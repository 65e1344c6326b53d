import type { Answer, Flow, Panel, PolicySnapshot, Prediction } from '@sluice/domain';
import fc from 'fast-check';
import { explain, renderExplanation } from './explain.ts';
import { escalatedTag, servedPrediction } from './leg.ts';
import { headLogit, headRow, outputRow } from './heads.ts';
import { ballotsOf, fuse, panelColumns, panelOf, panelRow, panelWidth, votesWidth } from './panel.ts';
import { replayTrail } from './replay.ts';
import { route, type RouteInput } from './route.ts';
import { afterAnswer } from './stop.ts';
import { biasOnly, sampleAnswer, sampleFlow, samplePolicy, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

const names = ['fast', 'standard', 'heavy'];
const labels = 3;
const sets = Array.from({ length: 7 }, (_, set) => names.filter((_name, at) => ((set + 1) >> at) & 1));
const lossFirst = sampleFlow(names);
const budgetFirst = sampleFlow(names, { target: { primary: 'budget', budget: { perEvent: 0.5 } } });

interface Will {
  /** Label that every panel votes for, whatever is said; undefined: no panel has an opinion. */
  readonly label?: number;
  /** Log-odds of risk now, and after one tier more. */
  readonly now: number;
  readonly after: number;
}

/** Panels that say what they are told to. */
function panelsOf({ label, now, after }: Will, tiers: readonly string[] = names): Panel[] {
  const setsOfTiers = sets.filter((set) => set.every((tier) => tiers.includes(tier)));
  return setsOfTiers.map((set) => {
    const votes = new Float32Array(votesWidth(set.length, labels));
    if (label !== undefined) votes[label] = 3;
    const head = (logOdds: number): Float32Array => {
      const weights = new Float32Array(panelWidth({ signatureWidth, labels }, set.length));
      weights[0] = logOdds;
      return weights;
    };
    const missing = names.length - set.length;
    const risks = [head(now), ...Array.from({ length: missing }, () => head(after))];
    return { tiers: set, votes, harm: head(now), risks, gains: new Float32Array(2 * missing * missing) };
  });
}

function served(flow: Flow, policy: PolicySnapshot, more: Partial<RouteInput> = {}): Prediction {
  const input = sampleRoute(policy, { flow, ...more });
  let tag = sampleTag(input, route(input));
  for (;;) {
    const answer = sampleAnswer(tag.slip.tiers[tag.slip.position]!.tier);
    const decision = afterAnswer({ flow, signatureWidth, tag, policy, answer, now: 2 });
    if (decision.kind === 'stop') return servedPrediction(flow, { tag, answer, decision });
    tag = escalatedTag(tag, answer, decision);
  }
}

const harms = { fast: [0.04, 0.08], standard: [0.005, 0.005] } as const;
const ran = ({ answers }: Prediction) => answers.map(({ tier }) => tier);

describe('the posterior of a panel', () => {
  it('is a distribution over the labels that does not depend on the order in which tiers ran', () => {
    const weights = fc.float32Array({ minLength: votesWidth(3, labels), maxLength: votesWidth(3, labels), min: -5, max: 5, noNaN: true });
    const one = fc.record({ label: fc.nat(labels - 1), confidence: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(weights, fc.tuple(one, one, one), (votes, said) => {
        const answers = said.map((more, index) => sampleAnswer(names[index]!, more));
        const fused = fuse(votes, ballotsOf(names, answers, labels), labels);
        expect(fused.posterior.reduce((sum, share) => sum + share)).toBeCloseTo(1, 12);
        expect(fused.confidence).toBe(Math.max(...fused.posterior));
        expect(fuse(votes, ballotsOf(names, answers.toReversed(), labels), labels)).toEqual(fused);
      }),
    );
  });

  it('is asked only of a panel of exactly the tiers that answered, and of the shape of the flow', () => {
    const policy = samplePolicy({}, { panels: panelsOf({ now: 0, after: 0 }) });
    const answers = [sampleAnswer('heavy'), sampleAnswer('fast')];
    expect(panelOf(policy, lossFirst, answers)?.tiers).toEqual(['fast', 'heavy']);
    expect(panelOf(policy, lossFirst, [sampleAnswer('fast', { label: 3 })])).toBeUndefined();
    // Where a lighter tier was asked for its opinion and failed, heavy may answer once more.
    expect(panelOf(policy, budgetFirst, [sampleAnswer('heavy'), sampleAnswer('heavy')])).toBeUndefined();
    expect(panelOf(policy, { ...lossFirst, labels: ['a', 'b'] }, answers)).toBeUndefined();
    expect(panelOf(samplePolicy({}), lossFirst, answers)).toBeUndefined();
  });
});

it('rows stay as they are when the next ones are made, and score as their columns do one after the other', () => {
  const shape = { signatureWidth, labels };
  const opinionOf = (answer: Answer) => {
    const ballots = ballotsOf(['fast'], [answer], labels);
    return { ballots, fused: fuse(new Float32Array(votesWidth(1, labels)).fill(0.1), ballots, labels) };
  };
  const answers = [sampleAnswer('fast', { confidence: 0.8 }), sampleAnswer('fast', { confidence: 0.6, label: 2 })];
  const weights = Float32Array.from({ length: panelWidth(shape, 1) }, (_, column) => Math.sin(column));
  const kinds = {
    head: answers.map((answer) => headRow(biasOnly, answer, signatureWidth, labels)),
    panel: answers.map((answer) => panelRow(biasOnly, opinionOf(answer), shape)),
  };
  answers.forEach((answer, at) => {
    const before = headLogit(weights, biasOnly);
    expect(headLogit(weights, kinds.head[at]!)).toBe(headLogit(weights, outputRow(answer, signatureWidth, labels), before));
    expect(headLogit(weights, kinds.panel[at]!)).toBe(headLogit(weights, panelColumns(opinionOf(answer), shape), before));
  });
});

describe('a decision with panels', () => {
  it('serves what the answers add up to, says so in words, and comes out the same when made again', () => {
    const policy = samplePolicy(harms, { panels: panelsOf({ label: 2, now: -6, after: -6 }) });
    const prediction = served(lossFirst, policy);
    expect(prediction).toMatchObject({ tier: 'fast', label: 'other' });
    expect(renderExplanation(explain(prediction, { flow: lossFirst }))).toContain(
      "The fast tier answered 'spam' with confidence 0.71; weighed with all that is known of its answers the label is 'other'",
    );
    const replay = { flow: lossFirst, signatureWidth, policies: new Map([[policy.version, policy]]) };
    expect(replayTrail({ ...replay, prediction })).toBeUndefined();
    expect(replayTrail({ ...replay, prediction: { ...prediction, label: 'spam' } })).toContain('the label served was spam');
    const without = new Map([[policy.version, { ...policy, panels: [] }]]);
    expect(replayTrail({ ...replay, policies: without, prediction })).toContain('step 1');
  });

  it('may overrule heavy, at the harm that its posterior gives heavy', () => {
    const policy = samplePolicy({ fast: [0.9, 0.9], standard: [0.9, 0.9] }, { panels: panelsOf({ label: 2, now: 3, after: -6 }) });
    const prediction = served(lossFirst, policy);
    expect(prediction).toMatchObject({ tier: 'heavy', label: 'other' });
    expect(prediction.harm).toBeCloseTo(1 / (Math.exp(3) + 2), 6);
  });

  it('is heavy’s own answer at the safe end', () => {
    const panels = panelsOf({ label: 2, now: -6, after: -6 });
    expect(served(lossFirst, samplePolicy(harms, { panels, heavyOnly: true }))).toMatchObject({ tier: 'heavy', label: 'spam', harm: 0 });
  });

  it('goes on while one tier more is worth its price: not past heavy where loss comes first, wherever it pays where a budget does', () => {
    const onwards = samplePolicy({ fast: [0.9, 0.9], standard: [0.9, 0.9] }, { panels: panelsOf({ now: 0, after: -6 }) });
    const rule = { name: 'vip', tier: 'heavy', because: 'they pay' };
    expect(ran(served(lossFirst, onwards))).toEqual(['fast', 'standard', 'heavy']);
    expect(ran(served(lossFirst, onwards, { rule }))).toEqual(['heavy']);
    expect(ran(served(budgetFirst, onwards, { rule }))).toEqual(['heavy', 'fast', 'standard']);
    const content = samplePolicy(harms, { panels: panelsOf({ now: -6, after: -6 }) });
    expect(ran(served(budgetFirst, content))).toEqual(['fast']);
  });

  it('asks a cheap tier first when the worth of the dear one is likely to show only then', () => {
    const flat = panelsOf({ now: 0, after: -1.5 });
    const steep = flat.map((panel) => ({ ...panel, gains: panel.gains.map((_, at) => (at % 2 === 1 ? 0.5 : 0)) }));
    const dear = flat.map((panel) => ({
      ...panel,
      risks: panel.risks.map((head, at) => (at === panel.risks.length - 1 ? head.map((w) => 4 * w) : head)),
    }));
    const second = (panels: Panel[]) => ran(served(budgetFirst, samplePolicy(harms, { panels, threshold: 0.1 })))[1];
    expect(second(dear)).toBe('heavy');
    expect(second(dear.map((panel, at) => ({ ...panel, gains: steep[at]!.gains })))).toBe('standard');
  });

  it('falls back to the heads of the tier where weights are broken', () => {
    const panels = panelsOf({ label: 2, now: NaN, after: 0 });
    expect(served(lossFirst, samplePolicy(harms, { panels })).label).toBe('spam');
  });
});

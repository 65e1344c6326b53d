import type { Tag } from '@sluice/domain';
import fc from 'fast-check';
import { escalatedTag } from './leg.ts';
import { route, type RouteInput } from './route.ts';
import { afterAnswer } from './stop.ts';
import { biasOnly, sampleAnswer, sampleFlow, samplePolicy, sampleTag, signatureWidth } from './testing/sample.ts';

/** docs/routing.md 4: relations between decisions that must hold whatever the right decision is, for any number of tiers. */

interface Tier {
  readonly name: string;
  readonly cost: number;
  /** Expected before it ran, and found after. */
  readonly harm: number;
  readonly found: number;
  readonly queuePrice: number;
}

interface World {
  /** Heavy is the last, its harm 0. */
  readonly tiers: readonly Tier[];
  readonly threshold: number;
}

const share = fc.double({ min: 0.001, max: 0.95, noNaN: true });
const queue = fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.double({ min: 0, max: 0.5, noNaN: true }), weight: 1 });

const worlds: fc.Arbitrary<World> = fc
  .record({
    lights: fc.array(fc.record({ cost: share, harm: share, found: share, queuePrice: queue }), { minLength: 1, maxLength: 6 }),
    threshold: fc.double({ min: 0.002, max: 0.5, noNaN: true }),
  })
  .map(({ lights, threshold }) => ({
    threshold,
    tiers: [
      ...lights.sort((a, b) => a.cost - b.cost).map((light, i) => ({ ...light, name: `light-${i}` })),
      { name: 'heavy', cost: 1, harm: 0, found: 0, queuePrice: 0 },
    ],
  }));

/** What became of an event: the tiers that ran, the harm of what was served and the cost relative to heavy. */
interface Outcome {
  readonly ran: readonly string[];
  readonly harm: number;
  readonly cost: number;
}

/** Serves one event to its end, by the functions that serve; each tier's answer is found as harmful as the world says. */
function serve({ tiers, threshold }: World, more: Partial<RouteInput> = {}): Outcome {
  const policy = samplePolicy(Object.fromEntries(tiers.slice(0, -1).map(({ name, harm, found }) => [name, [harm, found]])), { threshold });
  const flow = sampleFlow(tiers.map(({ name }) => name));
  const input: RouteInput = {
    ...{ id: 'e', flow, policy, signature: biasOnly, signatureWidth, now: 0 },
    costs: tiers.map(({ cost }) => cost),
    queuePrices: tiers.map(({ queuePrice }) => queuePrice),
    ...more,
  };
  let tag: Tag = { ...sampleTag(input, route(input)), deadlineAt: input.deadlineAt ?? Infinity };
  for (;;) {
    const answer = sampleAnswer(tag.slip.tiers[tag.slip.position]!.tier);
    const decision = afterAnswer({ flow, signatureWidth, tag, policy, answer, now: 0 });
    if (decision.kind === 'stop') {
      return { ran: [...tag.answers, answer].map(({ tier }) => tier), harm: decision.harm, cost: decision.cost };
    }
    tag = escalatedTag(tag, answer, decision);
  }
}

const without = (world: World, drop: number): World => ({ ...world, tiers: world.tiers.filter((_, i) => i !== drop) });
const barring = (world: World, at: number): Partial<RouteInput> => ({ bars: world.tiers.map((_, i) => (i === at ? 'switched-off' : '')) });
const lightOf = (world: World, pick: number): number => pick % (world.tiers.length - 1);

describe('the way of an event', () => {
  it('is the same in any unit of cost', () => {
    fc.assert(
      fc.property(worlds, fc.constantFrom(1 / 1024, 0.25, 2, 4096), (world, unit) => {
        const scaled = {
          costs: world.tiers.map(({ cost }) => cost * unit),
          queuePrices: world.tiers.map(({ queuePrice }) => queuePrice * unit),
        };
        expect(serve(world, scaled)).toEqual(serve(world));
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, (world: World, at: number) => Partial<RouteInput>]>([
    ['switched off', barring],
    ['down', (world, at) => ({ queuePrices: world.tiers.map(({ queuePrice }, i) => (i === at ? Infinity : queuePrice)) })],
    ['too late', (world, at) => ({ waits: world.tiers.map((_, i) => (i === at ? 9 : 1)), deadlineAt: 5 })],
  ])('with a tier that is %s is the way without that tier', (_, out) => {
    fc.assert(
      fc.property(worlds, fc.nat(), (world, pick) => {
        const at = lightOf(world, pick);
        fc.pre(world.tiers.length > 2);
        expect(serve(world, out(world, at))).toEqual(serve(without(world, at)));
      }),
      { numRuns: 1000 },
    );
  });

  it('never runs a tier that has become dear beyond all others more often than before', () => {
    fc.assert(
      fc.property(worlds, fc.nat(), fc.double({ min: 0, max: 2, noNaN: true }), (world, pick, more) => {
        const at = lightOf(world, pick);
        const { name } = world.tiers[at]!;
        const dearer = {
          ...world,
          tiers: world.tiers.map((tier, i) => (i === at ? { ...tier, queuePrice: tier.queuePrice + more } : tier)),
        };
        if (serve(dearer).ran[0] === name) expect(serve(world).ran[0]).toBe(name);
        const priceless = { ...world, tiers: world.tiers.map((tier, i) => (i === at ? { ...tier, queuePrice: 1e9 } : tier)) };
        expect(serve(priceless).ran).not.toContain(name);
      }),
      { numRuns: 1000 },
    );
  });

  it('is the same when a useless tier is added: dearer than another, and worse before and after it ran', () => {
    fc.assert(
      fc.property(worlds, fc.nat(), fc.tuple(share, share, share), (world, pick, [dearer, worse, worst]) => {
        const better = world.tiers[lightOf(world, pick)]!;
        const useless: Tier = {
          name: 'useless',
          cost: better.cost + dearer,
          harm: better.harm + (0.999 - better.harm) * worse,
          found: better.found + (0.999 - better.found) * worst,
          queuePrice: better.queuePrice,
        };
        const at = lightOf(world, pick) + 1;
        const more = { ...world, tiers: [...world.tiers.slice(0, at), useless, ...world.tiers.slice(at)] };
        expect(serve(more).ran[0]).toBe(serve(world).ran[0]);
        expect(serve(more).harm).toBeLessThanOrEqual(serve(world).harm + 1e-12);
      }),
      { numRuns: 1000 },
    );
  });

  it('serves no more harm than the threshold allows, as long as heavy may run', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        // Heavy costs 1 at no harm: whatever is served is worth no more than that.
        const { harm } = serve(world);
        expect(harm).toBeLessThanOrEqual(world.threshold * 1 + 1e-6);
      }),
      { numRuns: 1000 },
    );
  });

  it('ends with heavy at the safe end, whatever is barred', () => {
    fc.assert(
      fc.property(worlds, fc.nat(), (world, pick) => {
        const policy = samplePolicy({}, { heavyOnly: true });
        const bars = world.tiers.map((_, i) => (i % 2 === pick % 2 ? 'envelope' : ''));
        expect(serve(world, { policy, bars, budget: null }).ran).toEqual(['heavy']);
      }),
    );
  });
});

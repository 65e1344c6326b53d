import { DisagreementWatch } from './disagreement-watch.ts';
import { seededRandom, type Random } from './simulation/index.ts';

/** What a head claims of one event, and how often its tier then disagrees. */
interface World {
  harm(random: Random, audit: number): number;
  disagreement(harm: number, audit: number): number;
}

const still: [string, World][] = [
  ['as predicted', { harm: spread, disagreement: (harm) => Math.min(0.9, 1.3 * harm) }],
  [
    'by a head that is sure and wrong',
    { harm: (random) => (random.uniform() < 0.5 ? 2e-4 : spread(random)), disagreement: (harm) => Math.max(0.03, harm) },
  ],
  [
    'by a head that grows surer',
    { harm: (random, audit) => spread(random) * (1 - audit / 800), disagreement: (harm, audit) => Math.min(0.9, harm / (1 - audit / 800)) },
  ],
];

/** Audits of about 10,000 lightly served events. */
const audits = 400;

function spread(random: Random): number {
  return Math.max(2e-4, 0.1 * random.uniform() ** 2);
}

function alarmsOf(world: World, seed: number): number {
  const random = seededRandom(seed);
  const watch = new DisagreementWatch();
  let alarms = 0;
  for (let audit = 0; audit < audits; audit++) {
    const harm = world.harm(random, audit);
    if (watch.observe(random.uniform() < world.disagreement(harm, audit), harm)) alarms++;
  }
  return alarms;
}

describe('where nothing changes', () => {
  it.each(still)('1,000 streams of 400 audits, %s, raise at most 50 false alarms together', (_, world) => {
    let alarms = 0;
    for (let seed = 1; seed <= 1000; seed++) alarms += alarmsOf(world, seed);
    expect(alarms).toBeLessThanOrEqual(50);
  });
});

describe('where a quarter of the answers turn wrong', () => {
  it('an alarm follows within 40 audits in nine of ten streams', () => {
    let soon = 0;
    for (let seed = 1; seed <= 200; seed++) if (delayOf(seed) <= 40) soon++;
    expect(soon).toBeGreaterThanOrEqual(180);
  });

  function delayOf(seed: number): number {
    const random = seededRandom(seed);
    const watch = new DisagreementWatch();
    for (let audit = 0; ; audit++) {
      const harm = spread(random);
      const alarm = watch.observe(random.uniform() < harm + (audit >= audits ? 0.25 : 0), harm);
      if (alarm && audit >= audits) return audit - audits + 1;
      if (audit > 4 * audits) return Infinity;
    }
  }
});

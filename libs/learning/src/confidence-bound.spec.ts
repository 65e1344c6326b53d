import { certify } from './confidence-bound.ts';
import { Certificate } from './certificate.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { seededRandom } from './simulation/index.ts';

/** How the loss of one event comes about, from its place in the stream and whether the last audits found harm. */
type Loss = (index: number, found: number) => number;

const streams: [string, Loss][] = [
  ['steady at 1 %', () => 0.01],
  ['rising from 0 to 4 %', (index) => index / 100_000],
  ['in bursts of 10 %', (index) => (index % 1000 < 100 ? 0.1 : 0.002)],
  ['answering to what was found, as a controller does', (_, found) => (found > 0.01 ? 0.004 : 0.02)],
];

describe.each(streams)('the interval of a loss %s', (_, lossOf) => {
  it('misses the true mean at any moment in at most 5 % of 200 runs', () => {
    let missed = 0;
    for (let seed = 1; seed <= 200; seed++) if (misses(lossOf, seed)) missed++;
    expect(missed / 200).toBeLessThanOrEqual(0.05);
  });
});

/** Looks at every event that changes the sums, as an anytime-valid interval allows. */
function misses(lossOf: Loss, seed: number): boolean {
  const random = seededRandom(seed);
  const pMin = 0.02;
  let [truth, harm, squares] = [0, 0, 0];
  for (let index = 0; index < 4000; index++) {
    const loss = lossOf(index, harm / (index + 1));
    truth += loss;
    const probability = pMin * (1 + 4 * random.uniform());
    const found = random.uniform() < loss && random.uniform() < probability;
    if (found) {
      harm += 1 / probability;
      squares += 1 / probability ** 2;
    }
    if (!found && index % 100 !== 0) continue;
    const { lower, upper } = certify({ events: index + 1, harm, suspected: 0, squares, pMin });
    const mean = truth / (index + 1);
    if (mean < lower || mean > upper) return true;
  }
  return false;
}

describe('the interval', () => {
  it('says nothing of nothing, and reaches to about three times a loss of 1 % after 20,000 events audited at 4 %', () => {
    expect(certify({ events: 0, harm: 0, suspected: 0, squares: 0, pMin: 1 })).toEqual({ events: 0, estimate: 0, lower: 0, upper: 1 });
    const { estimate, lower, upper } = certify({ events: 20_000, harm: 200, suspected: 0, squares: 200 / 0.04, pMin: 0.02 });
    expect(estimate).toBe(0.01);
    expect(lower).toBeLessThan(0.01);
    expect(upper).toBeGreaterThan(0.01);
    expect(upper).toBeLessThan(0.033);
  });
});

describe('Certificate', () => {
  it('counts events in the order of decisions, up to the first audit that is not compared', () => {
    const certificate = new Certificate();
    certificate.served('a', 0.5, true);
    certificate.served('b', 0.5, false);
    certificate.served('c', 0.25, true);
    expect(certificate.loss.events).toBe(0);
    certificate.compared('c', true);
    expect(certificate.loss.events).toBe(0);
    certificate.compared('a', false);
    expect(certificate.loss.events).toBe(3);
    expect(certificate.loss.estimate).toBe(0);
    certificate.settled('c', true);
    expect(certificate.loss.estimate).toBe(1);
  });

  it('clears a suspicion that the truth does not bear out', () => {
    const sums = (harmed: boolean): number => {
      const certificate = new Certificate();
      for (let index = 0; index < 5000; index++) certificate.served(`e${index}`, 0.04, false);
      certificate.served('s', 0.04, true);
      certificate.compared('s', true);
      const before = certificate.loss.upper;
      certificate.settled('s', harmed);
      return certificate.loss.upper - before;
    };
    expect(sums(true)).toBeCloseTo(0, 12);
    expect(sums(false)).toBeLessThan(-0.004);
  });

  it('ignores what belongs to an earlier regime', () => {
    const certificate = new Certificate();
    certificate.served('a', 0.5, true);
    certificate.restart();
    certificate.served('b', 0.5, false);
    certificate.compared('a', true);
    certificate.settled('a', true);
    expect(certificate.loss).toMatchObject({ events: 1, estimate: 0 });
  });

  it('is the same after a restart in mid-stream', () => {
    const random = seededRandom(4);
    let restored = new Certificate();
    const whole = new Certificate();
    for (let index = 0; index < 3000; index++) {
      const [audited, disagreed, harmed] = [random.uniform() < 0.2, random.uniform() < 0.3, random.uniform() < 0.5];
      for (const one of [whole, restored]) {
        one.served(`e${index}`, 0.25, audited);
        one.compared(`e${index - 5}`, disagreed);
        one.settled(`e${index - 40}`, harmed && disagreed);
      }
      if (index % 700 === 0) restored = copyOf(restored);
    }
    expect(restored.loss).toEqual(whole.loss);
    expect(whole.loss.events).toBeGreaterThan(100);
  });

  function copyOf(certificate: Certificate): Certificate {
    const bytes = new ByteWriter();
    certificate.write(bytes);
    const copy = new Certificate();
    copy.read(new ByteReader(bytes.done()));
    return copy;
  }
});

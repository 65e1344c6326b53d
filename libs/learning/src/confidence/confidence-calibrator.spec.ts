import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { seededRandom, type Random } from '../simulation/index.ts';
import { ConfidenceCalibrator } from './confidence-calibrator.ts';
import { OnlinePlatt } from './online-platt.ts';

type Said = readonly [confidence: number, right: boolean];

/** A model whose confidences are `claim` of the true probability's logit. */
function streamOf(random: Random, events: number, claim: (truth: number) => number): Said[] {
  return Array.from({ length: events }, () => {
    const logOdds = 3 * random.uniform() - 0.2;
    const right = random.uniform() < 1 / (1 + Math.exp(-logOdds));
    return [1 / (1 + Math.exp(-claim(logOdds))), right];
  });
}

function fed(stream: readonly Said[]): ConfidenceCalibrator {
  const calibrator = new ConfidenceCalibrator();
  for (const [confidence, right] of stream) calibrator.observe(confidence, right);
  return calibrator;
}

describe('on any sequence', () => {
  /** The adversary sees what is said, and may answer by it. */
  const sequences = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom('yes', 'no', 'contrary')), {
    maxLength: 400,
  });

  it('the squared error exceeds that of the best constant per bin in hindsight by at most ln(n + 1) + 2 for each bin', () => {
    const wanted = fc.property(sequences, (sequence) => {
      const calibrator = new ConfidenceCalibrator();
      const platt = new OnlinePlatt();
      const bins = new Map<number, { n: number; right: number; error: number }>();
      for (const [confidence, how] of sequence) {
        const said = calibrator.calibrated(confidence);
        const right = how === 'contrary' ? said < 0.5 : how === 'yes';
        const bin = Math.min(9, Math.floor(platt.predict(confidence) * 10));
        const { n, right: sum, error } = bins.get(bin) ?? { n: 0, right: 0, error: 0 };
        bins.set(bin, { n: n + 1, right: sum + (right ? 1 : 0), error: error + (said - (right ? 1 : 0)) ** 2 });
        calibrator.observe(confidence, right);
        platt.observe(confidence, right);
        expect(said).toBeGreaterThanOrEqual(0);
        expect(said).toBeLessThanOrEqual(1);
      }
      for (const { n, right, error } of bins.values()) {
        const best = right * (1 - right / n);
        expect(error).toBeLessThanOrEqual(best + Math.log(n + 1) + 2 + 1e-9);
      }
    });
    fc.assert(wanted, { numRuns: 200 });
  });

  it('goes on bit for bit from its bytes', () => {
    const stream = streamOf(seededRandom(4), 500, (truth) => 2 * truth);
    const half = new ByteWriter();
    fed(stream.slice(0, 250)).write(half);
    const restored = new ConfidenceCalibrator();
    restored.read(new ByteReader(half.done()));
    for (const [confidence, right] of stream.slice(250)) restored.observe(confidence, right);
    const bytes = [restored, fed(stream)].map((calibrator) => {
      const to = new ByteWriter();
      calibrator.write(to);
      return to.done();
    });
    expect(bytes[0]).toEqual(bytes[1]);
  });
});

describe('where right and wrong are drawn', () => {
  it.each<[string, (truth: number) => number]>([
    ['is too sure', (truth) => 3 * truth + 1],
    ['is not sure enough', (truth) => 0.2 * truth],
    ['is sure of the wrong half', (truth) => 1 - truth],
  ])('a model that %s ends with an expected calibration error below 2 %, from above 8 %', (_, claim) => {
    const errors = Array.from({ length: 20 }, (__, seed) => fed(streamOf(seededRandom(seed), 5000, claim)).error);
    for (const { before } of errors) expect(before).toBeGreaterThan(0.08);
    for (const { after } of errors) expect(after).toBeLessThan(0.02);
  });

  it('a model that is calibrated stays so', () => {
    const { before, after } = fed(streamOf(seededRandom(1), 5000, (truth) => truth)).error;
    expect(before).toBeLessThan(0.02);
    expect(after).toBeLessThan(0.02);
  });

  it('a model of which a quarter turns silently wrong is learned anew within 100 answers of an alarm, sooner than without one', () => {
    let [alarmed, deaf] = [0, 0];
    for (let seed = 1; seed <= 10; seed++) {
      alarmed += gapAfterChange(seed, true) / 10;
      deaf += gapAfterChange(seed, false) / 10;
    }
    expect(alarmed).toBeLessThan(0.05);
    expect(deaf).toBeGreaterThan(1.5 * alarmed);
  });

  /** Mean of (said - right) over 2,000 answers, 100 answers after the change. */
  function gapAfterChange(seed: number, alarm: boolean): number {
    const random = seededRandom(seed);
    const calibrator = fed(streamOf(random, 3000, (truth) => truth));
    if (alarm) calibrator.quicken();
    const changed = streamOf(random, 2100, (truth) => truth).map(([confidence, right]): Said => [
      confidence,
      right && random.uniform() < 0.75,
    ]);
    for (const [confidence, right] of changed.slice(0, 100)) calibrator.observe(confidence, right);
    const later = changed.slice(100);
    return (
      Math.abs(later.reduce((sum, [confidence, right]) => sum + calibrator.calibrated(confidence) - (right ? 1 : 0), 0)) / later.length
    );
  }
});

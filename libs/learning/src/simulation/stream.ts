import type { Answer, SparseRow } from '@sluice/domain';
import type { KnownEvent } from '../serve.ts';
import { type Random, seededRandom } from './random.ts';

export interface StreamSpec {
  readonly seed: number;
  readonly events: number;
  /** Strength of each tier's evidence; the demo's are about 0.7 / 0.87 / 0.95 accurate with 0.75, 1.6, 2.6. */
  readonly strengths: readonly number[];
  readonly tiers: readonly string[];
  /** From this event on a quarter of the cheapest tier's answers are wrong with their confidence untouched. */
  readonly regressionFrom?: number;
}

/** Columns of the signature: bias, a weak hint of the easiness, and hashed words. */
export const streamWidth = 130;

/**
 * A two-class stream (ham and spam) of events from easy to hard. Each tier sees the class through noise that it partly shares with the
 * others, answers by its sign and derives its confidence from its size, as a linear model does.
 */
export function syntheticStream(spec: StreamSpec): KnownEvent[] {
  const random = seededRandom(spec.seed);
  return Array.from({ length: spec.events }, (_, index) => {
    const truth = random.uniform() < 0.6 ? 0 : 1;
    const easiness = Math.exp(0.6 * random.normal());
    const shared = random.normal();
    const answers = spec.strengths.map((strength, tier) => {
      const noise = Math.SQRT1_2 * (shared + random.normal());
      const score = (truth === 1 ? 1 : -1) * strength * easiness + noise;
      return binaryAnswer(spec.tiers[tier]!, score > 0 ? 1 : 0, sigmoid(1.4 * strength * Math.abs(score)));
    });
    const flipped = random.uniform() < 0.25 && spec.regressionFrom !== undefined && index >= spec.regressionFrom;
    if (flipped) answers[0] = { ...answers[0]!, label: 1 - truth };
    return { id: `s${spec.seed}-${index}`, signature: signatureOf(easiness, random), answers, truth };
  });
}

/** Blocks of a stream: all events of one class, then all of the other, easy to hard within each. */
export function sortedIntoBlocks(events: readonly KnownEvent[]): KnownEvent[] {
  const hardness = (event: KnownEvent): number => event.answers.reduce((sum, answer) => sum - answer.confidence, 0);
  return [...events].sort((a, b) => a.truth - b.truth || hardness(a) - hardness(b));
}

export function binaryAnswer(tier: string, label: number, confidence: number): Answer {
  const rest = 1 - confidence;
  const entropy = -confidence * Math.log(confidence) - (rest > 0 ? rest * Math.log(rest) : 0);
  return { tier, model: tier, version: '1', label, confidence, margin: 2 * confidence - 1, entropy };
}

function signatureOf(easiness: number, random: Random): SparseRow {
  const columns = new Map<number, number>([
    [0, 1],
    [1, 0.5 * Math.log(easiness) + 0.3 * random.normal()],
  ]);
  for (let word = 0; word < 12; word++) columns.set(2 + random.below(streamWidth - 2), (random.uniform() < 0.5 ? -1 : 1) / Math.sqrt(12));
  const indices = [...columns.keys()].sort((a, b) => a - b);
  return { indices: Uint16Array.from(indices), values: Float32Array.from(indices, (column) => columns.get(column)!) };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

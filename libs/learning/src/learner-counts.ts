import type { ByteReader, ByteWriter } from './bytes.ts';

/** What a learner has seen; part of its state, so a restart continues the counts. */
export interface LearnerCounts {
  /** Examples folded, repeated ones included: the policy version. */
  folded: number;
  /** Examples ignored because their (id, part) had been folded before. */
  duplicates: number;
  decisions: number;
  lightServed: number;
  /** Events of which all tiers' answers were compared without serving them: the shadow parts. */
  shadows: number;
  truths: number;
  unlabelled: number;
  /** Audits drawn whose heavy answer never came and whose truth is unknown: the predicted harm stands for them. */
  auditsLost: number;
  alarms: number;
  /** Alarms of the watch on signatures: what is asked has changed. */
  shifts: number;
  /** Certificates that proved a loss above the declared one. */
  broken: number;
}

const names = [
  'folded',
  'duplicates',
  'decisions',
  'lightServed',
  'shadows',
  'truths',
  'unlabelled',
  'auditsLost',
  'alarms',
  'shifts',
  'broken',
] as const;

export function createCounts(): LearnerCounts {
  return {
    folded: 0,
    duplicates: 0,
    decisions: 0,
    lightServed: 0,
    shadows: 0,
    truths: 0,
    unlabelled: 0,
    auditsLost: 0,
    alarms: 0,
    shifts: 0,
    broken: 0,
  };
}

export function readCounts(from: ByteReader): LearnerCounts {
  const counts = createCounts();
  for (const name of names) counts[name] = from.f64();
  return counts;
}

export function writeCounts(counts: LearnerCounts, to: ByteWriter): void {
  for (const name of names) to.f64(counts[name]);
}

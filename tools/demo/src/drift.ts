import type { WrongAnswers } from '@sluice/domain';

/** The regression of `--drift regression`: a quarter of the answers, from the middle of the stream (or event 5,000 of an endless one). */
export function regressionOf(events: number | undefined, seed: number): WrongAnswers {
  return { rate: 0.25, fromSequence: Math.floor((events ?? 10_000) / 2), key: 1000 + seed };
}

import { SluiceError, type Answer } from '@sluice/domain';

/** How long a version is watched after a swap: at least so many calls, and at least so many milliseconds. */
export const watched = { calls: 50, ms: 10_000 } as const;
/** So many calls with rows that only the version before could answer, and it is left. */
const strikesToLeave = 3;
/** One call is enough when it failed whole and had so many rows: one of a model that hangs takes long. */
const rowsToLeaveAtOnce = 8;

/** What came of a call on a version that is watched. */
export interface Tried {
  readonly rows: number;
  /** Rows that failed in the model. */
  readonly failed: number;
  /** Those of them that the version before answered. The others fail for a reason of their own. */
  readonly rescued: number;
}

export type Verdict = 'watch' | 'proven' | 'leave';

/** Judges a version by its first calls against the version before it, on the very rows that it fails. */
export class Probation {
  readonly #since: number;
  #calls = 0;
  #strikes = 0;

  /** @param now milliseconds of a steady clock, at the swap. */
  constructor(now: number) {
    this.#since = now;
  }

  judge({ rows, failed, rescued }: Tried, now: number): Verdict {
    this.#calls += 1;
    if (rescued > 0) this.#strikes += failed === rows && rows >= rowsToLeaveAtOnce ? strikesToLeave : 1;
    if (this.#strikes >= strikesToLeave) return 'leave';
    return this.#calls >= watched.calls && now - this.#since >= watched.ms ? 'proven' : 'watch';
  }
}

/** The model is at fault for this answer, or its server for all answers; neither the row nor the caller. */
export function isModelFault(answer: Answer | SluiceError): answer is SluiceError {
  return answer instanceof SluiceError && (answer.code === 'SLUICE_MODEL_FAILED' || answer.code === 'SLUICE_MODEL_LOST');
}

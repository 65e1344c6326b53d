import type { ErrorCode } from '@sluice/domain';
import type { Reason } from './reason.ts';
import type { Teller, Told } from './telling.ts';

function failure(name: string, what: (tier: string) => string): Teller {
  return { name, say: (told) => `${what(told.step.tier)}, ${sayWay(told)}.` };
}

/** Why a tier that was tried gave no answer, by the code of its error; it leaves its name in the trail and says what became of the event. */
export const failures = {
  SLUICE_MODEL_FAILED: failure('model-failed', (tier) => `The ${tier} tier's model failed on it`),
  SLUICE_MODEL_LOST: failure('model-lost', (tier) => `The ${tier} tier's model did not answer`),
  SLUICE_BREAKER_OPEN: failure(
    'breaker-open',
    (tier) => `The ${tier} tier's model had failed or been late again and again and was left alone`,
  ),
  SLUICE_OVERLOADED: failure('late', (tier) => `The ${tier} tier could not take it before its deadline`),
} as const satisfies Partial<Record<ErrorCode, Teller>>;

export type Failure = keyof typeof failures;

export const tellersOfFailures: readonly Teller[] = Object.values(failures);

export function isFailure(code: ErrorCode): code is Failure {
  return Object.hasOwn(failures, code);
}

/** The failure that a step of this reason was about; undefined when it was about none. */
export function failureNamed(name: string): Failure | undefined {
  return (Object.keys(failures) as Failure[]).find((code) => failures[code].name === name);
}

/** The tier was to try the event again. */
export function isRetry({ detail }: Reason): boolean {
  return detail?.startsWith('retry=') === true;
}

/** A tier's name, or `way=what`: names of tiers hold no `=`. */
function sayWay({ detail = 'heaviest' }: Told): string {
  const [way, what] = detail.split('=');
  if (what === undefined) return `so it went on to the ${detail} tier`;
  if (way === 'retry') return `so it was put aside to be tried again after ${what}`;
  if (way === 'cached') return `so what version ${what} once answered to the same request was taken`;
  return `so the answer that the ${what} tier had given was served`;
}

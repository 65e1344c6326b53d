import { errorTable, type ErrorClass, type ErrorCode } from './error-table.ts';

/** Every error Sluice raises on purpose: a code of the closed table, a sentence with the facts, the cause chained. */
export class SluiceError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'SluiceError';
    this.code = code;
  }

  get class(): ErrorClass {
    return errorTable[this.code].class;
  }

  get remedy(): string {
    return errorTable[this.code].remedy;
  }
}

/** Total: turns anything thrown into a SluiceError; what is unknown gets `fallback` and the thrown value as cause. */
export function toSluiceError(thrown: unknown, fallback: ErrorCode): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(fallback, message, { cause: thrown });
}

/** One line for people: code, sentence, remedy, and the chain of causes. */
export function describeError(error: SluiceError): string {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause.message !== error.message) causes.push(cause.message);
  }
  const because = causes.length > 0 ? ` ${sentence(`Cause: ${causes.join(' <- ')}`)}` : '';
  return `${error.code}: ${sentence(error.message)}${because} ${error.remedy}`;
}

/** Ends with a full stop: messages come from many hands. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

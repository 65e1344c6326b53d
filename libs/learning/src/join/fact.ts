import { decodeOutcome, decodePrediction, decodeShadowAnswer } from '@sluice/contracts';
import { type EpochMs, type Outcome, type Prediction, type ShadowAnswer, SluiceError } from '@sluice/domain';

/** Values of the `sluice-fact` header on `<flow>.facts`. */
export const factKinds = ['prediction', 'shadow', 'outcome'] as const;
export type FactKind = (typeof factKinds)[number];

interface Logged {
  /** Time stamp of the record on `<flow>.facts`, written by us: event times are believed only up to a little after it. */
  readonly loggedAt: EpochMs;
}

export interface PredictionFact extends Logged {
  readonly kind: 'prediction';
  readonly prediction: Prediction;
}

export interface ShadowFact extends Logged {
  readonly kind: 'shadow';
  readonly shadow: ShadowAnswer;
}

export interface OutcomeFact extends Logged {
  readonly kind: 'outcome';
  readonly outcome: Outcome;
  /** The record as its producer wrote it, kept for the dead letter that an outcome without a prediction becomes. */
  readonly value: Uint8Array;
  /** Coordinates of that record as text, `topic/partition/offset`. */
  readonly origin: string;
}

/** One record of `<flow>.facts`: all three streams of feedback under one key, the event id. */
export type Fact = PredictionFact | ShadowFact | OutcomeFact;

export interface FactRecord {
  /** The `sluice-fact` header. */
  readonly kind: string | undefined;
  readonly value: Uint8Array;
  readonly timestamp: EpochMs;
  /** The `sluice-origin` header, or the record's own coordinates. */
  readonly origin: string;
}

/** @throws SluiceError SLUICE_AVRO_INVALID when the kind is none of ours or the value does not decode as that kind. */
export function readFact({ kind, value, timestamp: loggedAt, origin }: FactRecord): Fact {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (kind === 'prediction') return { kind, prediction: decodePrediction(bytes), loggedAt };
  if (kind === 'shadow') return { kind, shadow: decodeShadowAnswer(bytes), loggedAt };
  if (kind === 'outcome') return { kind, outcome: decodeOutcome(bytes), value, origin, loggedAt };
  throw new SluiceError('SLUICE_AVRO_INVALID', `a fact of kind ${kind ?? '(none)'}`);
}

import { decodeExample, encodeExample } from '@sluice/contracts';
import type { Answer, EpochMs, Example } from '@sluice/domain';
import { ByteReader, ByteWriter } from '../bytes.ts';

export interface StoredOutcome {
  /** Index into the flow's labels. */
  readonly truth: number;
  readonly at: EpochMs;
  readonly value: Uint8Array;
  readonly origin: string;
}

/** All that is known about one event id between its first fact and the end of its window. */
export interface JoinEntry {
  /** Stream time after which the entry is closed and forgotten. */
  readonly expiry: EpochMs;
  /** Truth was emitted: the entry only stays so that repeats are recognised. */
  readonly done: boolean;
  /** The shadow part was emitted. */
  readonly shadowed: boolean;
  /** The decision part, as emitted when the prediction was seen. */
  readonly decision: Example | undefined;
  /** In tier order, one per tier. */
  readonly shadows: readonly Answer[];
  readonly outcome: StoredOutcome | undefined;
}

const version = 1;
const flag = { done: 1, shadowed: 2, decision: 4, outcome: 8 };

export function encodeEntry(entry: JoinEntry): Uint8Array {
  const { expiry, done, shadowed, decision, shadows, outcome } = entry;
  const flags = (done ? flag.done : 0) | (shadowed ? flag.shadowed : 0) | (decision ? flag.decision : 0) | (outcome ? flag.outcome : 0);
  const to = new ByteWriter().u8(version).u8(flags).f64(expiry);
  if (decision !== undefined) to.bytes(encodeExample(decision));
  if (outcome !== undefined) to.u32(outcome.truth).f64(outcome.at).bytes(outcome.value).text(outcome.origin);
  to.u8(shadows.length);
  for (const answer of shadows) writeAnswer(to, answer);
  return to.done();
}

/** @throws RangeError when the bytes are not an entry of this version; SluiceError when the example in it is broken. */
export function decodeEntry(bytes: Uint8Array): JoinEntry {
  const from = new ByteReader(bytes);
  const found = from.u8();
  if (found !== version) throw new RangeError(`join entry of version ${found}`);
  const flags = from.u8();
  const expiry = from.f64();
  const decision = flags & flag.decision ? decodeExample(from.bytes()) : undefined;
  const outcome = flags & flag.outcome ? { truth: from.u32(), at: from.f64(), value: from.bytes(), origin: from.text() } : undefined;
  const shadows = Array.from({ length: from.u8() }, () => readAnswer(from));
  return { expiry, done: (flags & flag.done) !== 0, shadowed: (flags & flag.shadowed) !== 0, decision, shadows, outcome };
}

/** The expiry alone, without decoding what the entry holds. */
export function expiryOf(bytes: Uint8Array): EpochMs {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getFloat64(2, true);
}

function writeAnswer(to: ByteWriter, answer: Answer): void {
  to.text(answer.tier).text(answer.model).text(answer.version);
  to.u32(answer.label).f64(answer.confidence).f64(answer.margin).f64(answer.entropy);
}

function readAnswer(from: ByteReader): Answer {
  const [tier, model, modelVersion] = [from.text(), from.text(), from.text()];
  return { tier, model, version: modelVersion, label: from.u32(), confidence: from.f64(), margin: from.f64(), entropy: from.f64() };
}

import avro, { type Type } from 'avsc';
import { SluiceError } from '@sluice/domain';
import { encodeMarked, markerOf, type MarkedType, singleObjectHeader } from './codec.ts';

/** Which writer schema of the flow a value has, and where its Avro body starts. */
export interface Framed {
  readonly schema: number;
  readonly start: number;
}

/** 00, then the id of the schema in a registry as big-endian uint32 (Confluent wire format). */
const confluentHeader = 5;

/** Tells which of a flow's writer schemas a request value was written with. No registry is asked. */
export class RequestSchemas {
  readonly #markers: readonly Buffer[];
  // One answer for each schema and framing, made once: identifying a value allocates nothing.
  readonly #singleObject: readonly Framed[];
  readonly #confluent: ReadonlyMap<number, Framed>;

  /**
   * @param schemas parsed Avro schemas in the order of `request.schemas`.
   * @param confluentIds `request.confluentIds`: registry id -> index into schemas.
   */
  constructor(schemas: readonly object[], confluentIds: Readonly<Record<string, number>> = {}) {
    this.#markers = schemas.map((schema) => markerOf(schema));
    this.#singleObject = schemas.map((_, schema) => ({ schema, start: singleObjectHeader }));
    this.#confluent = new Map(Object.entries(confluentIds).map(([id, schema]) => [Number(id), { schema, start: confluentHeader }]));
  }

  /** @throws SluiceError SLUICE_VALUE_MISSING, SLUICE_FRAMING_UNKNOWN, SLUICE_SCHEMA_UNKNOWN or, inside the frame, SLUICE_AVRO_TRUNCATED. */
  identify(value: Buffer | null): Framed {
    if (value === null) throw new SluiceError('SLUICE_VALUE_MISSING', 'the record has no value');
    if (value[0] === 0xc3 && value[1] === 0x01) return this.#bySingleObject(value);
    if (value[0] === 0x00) return this.#byConfluent(value);
    const found = value.length === 0 ? 'is empty' : `starts with ${value.toString('hex', 0, 2)}`;
    throw new SluiceError('SLUICE_FRAMING_UNKNOWN', `the value ${found}, neither c301 nor 00`);
  }

  #bySingleObject(value: Buffer): Framed {
    if (value.length < singleObjectHeader) throw truncatedFrame(value);
    for (let i = 0; i < this.#markers.length; i++) if (sameFingerprint(value, this.#markers[i]!)) return this.#singleObject[i]!;
    throw new SluiceError(
      'SLUICE_SCHEMA_UNKNOWN',
      `no schema of the flow has the fingerprint ${value.toString('hex', 2, singleObjectHeader)}`,
    );
  }

  #byConfluent(value: Buffer): Framed {
    if (value.length < confluentHeader) throw truncatedFrame(value);
    const id = value.readUInt32BE(1);
    const framed = this.#confluent.get(id);
    if (framed === undefined) throw new SluiceError('SLUICE_SCHEMA_UNKNOWN', `the flow maps no schema to the Confluent id ${id}`);
    return framed;
  }
}

// avsc types are cached by the caller's schema or type object: building one costs a thousand times what encoding does.
const marked = new WeakMap<object, MarkedType>();

/** One value in Avro single-object encoding, for producers and tests. `type` is an avsc type or a parsed schema. */
export function encodeSingleObject(type: Type | object, value: unknown): Buffer {
  let known = marked.get(type);
  if (known === undefined) {
    const compiled = avro.Type.isType(type) ? (type as Type) : avro.Type.forSchema(type as never);
    known = { type: compiled, marker: markerOf(compiled.schema()) };
    marked.set(type, known);
  }
  return encodeMarked(known, value);
}

function sameFingerprint(value: Buffer, marker: Buffer): boolean {
  for (let i = 2; i < singleObjectHeader; i++) if (value[i] !== marker[i]) return false;
  return true;
}

function truncatedFrame(value: Buffer): SluiceError {
  return new SluiceError('SLUICE_AVRO_TRUNCATED', `the value ends after ${value.length} bytes, within its framing`);
}

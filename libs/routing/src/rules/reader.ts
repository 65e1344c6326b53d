import { compileProjection, slotKind, type Projection } from '@sluice/contracts';
import { SluiceError } from '@sluice/domain';
import type { LiteralValue } from './syntax.ts';

/** Reads some fields of a record: `load` walks the bytes once, `get` gives the value in the order of the paths. */
export interface FieldReader {
  /** @throws SluiceError SLUICE_AVRO_TRUNCATED or SLUICE_AVRO_INVALID when the bytes are not a whole record. */
  load(value: Buffer, start: number): void;
  /** @throws SluiceError SLUICE_NUMBER_NOT_FINITE when the value is NaN or infinite. */
  get(slot: number): LiteralValue | undefined;
}

/**
 * A reader of the named scalar fields of requests with one writer schema.
 * @throws SluiceError SLUICE_SCHEMA_INVALID when the schema lacks a path.
 */
export function openFields(schema: object, paths: readonly string[]): FieldReader {
  return new ProjectedFields(compileProjection(schema, paths));
}

class ProjectedFields implements FieldReader {
  readonly #projection: Projection;
  #value: Buffer = Buffer.alloc(0);

  constructor(projection: Projection) {
    this.#projection = projection;
  }

  load(value: Buffer, start: number): void {
    this.#value = value;
    this.#projection.read(value, start, value.length);
  }

  get(slot: number): LiteralValue | undefined {
    const { present, starts, ends } = this.#projection;
    switch (present[slot]) {
      case slotKind.number:
        return this.#number(slot);
      case slotKind.bytes:
        return this.#value.toString('utf8', starts[slot]!, ends[slot]!);
      case slotKind.symbol:
        return this.#symbol(slot);
      default:
        return undefined;
    }
  }

  #number(slot: number): number | boolean {
    const { numbers, leaves, paths } = this.#projection;
    const number = numbers[slot]!;
    if (leaves[slot]!.nodes[0]!.kind === 'boolean') return number === 1;
    if (!Number.isFinite(number)) throw new SluiceError('SLUICE_NUMBER_NOT_FINITE', `${paths[slot]} is ${number}, and a rule reads it`);
    return number;
  }

  #symbol(slot: number): string | undefined {
    const { leaves, numbers } = this.#projection;
    const node = leaves[slot]!.nodes.find((one) => one.kind === 'enum');
    return node?.symbols[numbers[slot]!];
  }
}

import { fingerprintText, slotKind, type Projection } from '@sluice/contracts';
import { SluiceError, type Envelope, type FeatureSpec, type Flow } from '@sluice/domain';

/** What each tier's model was validated for, in the order of the tiers; undefined where its manifest does not say. */
export type Envelopes = readonly (Envelope | undefined)[];

interface Bound {
  readonly slot: number;
  readonly min: number;
  readonly max: number;
}

/** Fields that any envelope bounds: all of them are read, whether or not the signature uses them. */
export function boundedFields(envelopes: Envelopes): string[] {
  return [...new Set(envelopes.flatMap((envelope) => Object.keys(envelope?.ranges ?? {})))];
}

/** The widest range that the envelopes state for a field. */
function widestRange(envelopes: Envelopes, field: string): Envelope['ranges'][string] | undefined {
  const ranges = envelopes.map((envelope) => envelope?.ranges[field]).filter((range) => range !== undefined);
  if (ranges.length === 0) return undefined;
  return { min: Math.min(...ranges.map(({ min }) => min)), max: Math.max(...ranges.map(({ max }) => max)) };
}

/**
 * The features of a signature with every range known: declared, or learned from the envelopes.
 * @throws SluiceError SLUICE_FLOW_INVALID naming the field whose range nobody states.
 */
export function withRanges(flow: Flow, envelopes: Envelopes): readonly FeatureSpec[] {
  return flow.signature.map((feature) => {
    if (feature.kind !== 'number' || feature.min !== undefined) return feature;
    const learned = widestRange(envelopes, feature.field);
    if (learned !== undefined && learned.max > learned.min) return { ...feature, ...learned };
    throw new SluiceError(
      'SLUICE_FLOW_INVALID',
      `flow ${flow.flow} declares no range for ${feature.field}, and no manifest of its tiers catalogues one: add min and max`,
    );
  });
}

/** Why a tier's model may not answer a request: it was not validated with this schema, or for such values. */
export type EnvelopeBar = '' | 'schema' | 'envelope';

/** Holds the requests of one writer schema against the envelopes. What it finds holds until the next request. */
export class EnvelopeGauge {
  /**
   * How far the request lies outside of everything the models know: d / (1 + d), where d is the largest distance of a field from the widest
   * range of it, in lengths of that range. 0 inside, and below 1.
   */
  novelty = 0;
  /** One per tier. The last tier is never barred: it is the reference, and nothing could stand in for it. */
  readonly bars: EnvelopeBar[];
  readonly #projection: Projection;
  readonly #bySchema: readonly EnvelopeBar[];
  readonly #byTier: readonly (readonly Bound[])[];
  readonly #widest: readonly Bound[];

  constructor(envelopes: Envelopes, schema: object, projection: Projection) {
    const last = envelopes.length - 1;
    const mark = fingerprintText(schema);
    this.#projection = projection;
    this.#bySchema = envelopes.map((envelope, tier) =>
      tier === last || envelope === undefined || envelope.schemas.length === 0 || envelope.schemas.includes(mark) ? '' : 'schema',
    );
    this.bars = [...this.#bySchema];
    this.#byTier = envelopes.map((envelope, tier) =>
      tier === last
        ? []
        : Object.entries(envelope?.ranges ?? {}).map(([field, { min, max }]) => ({ slot: projection.slot(field), min, max })),
    );
    this.#widest = boundedFields(envelopes).map((field) => ({ slot: projection.slot(field), ...widestRange(envelopes, field)! }));
  }

  /** Looks at the request that the projection read last. */
  measure(): void {
    for (let tier = 0; tier < this.bars.length; tier++) {
      const bar = this.#bySchema[tier]!;
      this.bars[tier] = bar === '' && this.#leaves(this.#byTier[tier]!) ? 'envelope' : bar;
    }
    let farthest = 0;
    for (let i = 0; i < this.#widest.length; i++) farthest = Math.max(farthest, this.#distance(this.#widest[i]!));
    this.novelty = farthest === Infinity ? 1 : farthest / (1 + farthest);
  }

  #leaves(bounds: readonly Bound[]): boolean {
    for (let i = 0; i < bounds.length; i++) if (this.#distance(bounds[i]!) > 0) return true;
    return false;
  }

  /** A missing value is no novelty: the signature has columns of its own for it. What is no number is as far as can be. */
  #distance({ slot, min, max }: Bound): number {
    if (this.#projection.present[slot] !== slotKind.number) return 0;
    const value = this.#projection.numbers[slot]!;
    if (value >= min && value <= max) return 0;
    const outside = value < min ? min - value : value - max;
    return Number.isNaN(outside) ? Infinity : outside / (max - min || 1);
  }
}

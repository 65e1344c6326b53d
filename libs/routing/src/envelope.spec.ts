import { encodeSingleObject, fingerprintText } from '@sluice/contracts';
import type { Envelope } from '@sluice/domain';
import avro from 'avsc';
import fc from 'fast-check';
import { compileSignature, signatureShape } from './signature.ts';
import { sampleFlow } from './testing/sample.ts';

const schema = {
  type: 'record',
  name: 'Mail',
  fields: [
    { name: 'length', type: ['null', 'double'] },
    { name: 'links', type: 'int' },
  ],
};
const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' });
const learned = sampleFlow(undefined, { signature: [{ field: 'length', kind: 'number' }] });

const envelope = (ranges: Envelope['ranges'], schemas: string[] = []): Envelope => ({ schemas, ranges });
const narrow = envelope({ length: { min: 0, max: 10 } });
const wide = envelope({ length: { min: -10, max: 30 }, links: { min: 0, max: 5 } });

function readingOf(fields: object, envelopes: readonly (Envelope | undefined)[], flow = learned) {
  const value = encodeSingleObject(type as never, { length: 5, links: 0, ...fields });
  const signature = compileSignature(flow, [schema], envelopes);
  const reading = signature.read({ value, schema: 0, start: 10, now: 0, requestedAt: 0, deadlineAt: 1 });
  const row = Object.fromEntries(Array.from(reading.row.indices, (column, at) => [signature.names[column]!, reading.row.values[at]!]));
  return { ...reading, row };
}

describe('the envelope of the models', () => {
  it('gives the range that the flow leaves open: the widest of all', () => {
    expect(readingOf({ length: 20 }, [narrow, wide, undefined]).row['length']).toBeCloseTo(0.75, 6);
    expect(readingOf({ length: 5 }, [narrow, undefined, undefined]).row['length']).toBeCloseTo(0.5, 6);
  });

  it('must give it, where the signature is read; width and names need none', () => {
    const refusal = expect.objectContaining({ code: 'SLUICE_FLOW_INVALID', message: expect.stringContaining('length') });
    expect(() => compileSignature(learned, [schema])).toThrow(refusal);
    expect(() => compileSignature(learned, [schema], [envelope({ length: { min: 3, max: 3 } }), undefined, undefined])).toThrow(refusal);
    const { width, names } = compileSignature(learned, [schema], [narrow, wide, undefined]);
    expect(signatureShape(learned, [schema])).toEqual({ width, names });
  });

  it('bars the tiers that a request lies outside of, the reference never', () => {
    expect(readingOf({ length: 20 }, [narrow, wide, narrow]).bars).toEqual(['envelope', '', '']);
    expect(readingOf({ length: -11 }, [narrow, wide, narrow]).bars).toEqual(['envelope', 'envelope', '']);
    expect(readingOf({ links: 6 }, [narrow, wide, narrow]).bars).toEqual(['', 'envelope', '']);
    expect(readingOf({}, [narrow, wide, undefined]).bars).toEqual(['', '', '']);
    expect(readingOf({ length: null }, [narrow, wide, undefined]).bars).toEqual(['', '', '']);
  });

  it('bars models that were not validated with the schema of the request', () => {
    const other = envelope({}, ['0123456789abcdef']);
    const same = envelope({}, ['0123456789abcdef', fingerprintText(schema)]);
    const flow = sampleFlow(undefined, { signature: [{ field: 'links', kind: 'number', min: 0, max: 1 }] });
    expect(readingOf({}, [other, same, other], flow).bars).toEqual(['schema', '', '']);
  });

  it('does not remember the request before', () => {
    const signature = compileSignature(learned, [schema], [narrow, wide, undefined]);
    const read = (length: number | null) => {
      const value = encodeSingleObject(type as never, { length, links: 0 });
      return structuredClone(signature.read({ value, schema: 0, start: 10, now: 0, requestedAt: 0, deadlineAt: 1 }));
    };
    const before = read(5);
    read(1e9);
    expect(read(5)).toEqual(before);
  });

  it('says how novel a request is: 0 inside of all that any model knows, rising with the distance, never above 1', () => {
    const novelty = (length: number) => readingOf({ length }, [narrow, wide, undefined]).novelty;
    // 30 + 40, as far from the widest range [-10, 30] as it is long: 1 / (1 + 1).
    expect(novelty(70)).toBeCloseTo(0.5, 12);
    fc.assert(
      fc.property(fc.double({ min: -1e300, max: 1e300, noNaN: true }), fc.double({ min: 0, max: 1e6, noNaN: true }), (length, more) => {
        const farther = length + Math.sign(length - 10) * more;
        expect(novelty(length) === 0).toBe(length >= -10 && length <= 30);
        expect(novelty(farther)).toBeGreaterThanOrEqual(novelty(length));
        expect(novelty(farther)).toBeLessThanOrEqual(1);
      }),
    );
    expect(readingOf({ length: 70 }, [narrow, wide, undefined]).row['novelty']).toBeCloseTo(0.5, 6);
  });

  it('finds what is no number as far outside as can be, where no feature reads it', () => {
    const flow = sampleFlow(undefined, { signature: [{ field: 'links', kind: 'number', min: 0, max: 1 }] });
    expect(readingOf({ length: NaN }, [narrow, wide, undefined], flow)).toMatchObject({ bars: ['envelope', 'envelope', ''], novelty: 1 });
  });
});

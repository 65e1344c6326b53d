import { featureSpec, type FeatureSpec } from '@sluice/domain';
import avro from 'avsc';
import { compileExtractor } from './extractor.ts';

type Loose = { readonly field: string; readonly kind: FeatureSpec['kind'] } & Readonly<Record<string, unknown>>;

const schema = {
  type: 'record',
  name: 'Mail',
  fields: [
    { name: 'size', type: ['null', 'double'] },
    { name: 'received', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'micros', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'sender', type: { type: 'record', name: 'Sender', fields: [{ name: 'domain', type: ['null', 'string'] }] } },
    { name: 'level', type: { type: 'enum', name: 'Level', symbols: ['low', 'high'] } },
    { name: 'code', type: 'int' },
    { name: 'body', type: 'string' },
    { name: 'pixels', type: { type: 'fixed', name: 'Pixels', size: 4 } },
    { name: 'blob', type: ['null', 'bytes'] },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
};
const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' });
const monday = Date.UTC(2026, 0, 5, 6, 0, 0);
const event = {
  ...{ size: 50, received: monday, micros: monday * 1000, sender: { domain: 'example.org' }, level: 'high', code: 404, body: 'free money' },
  ...{ pixels: Buffer.of(0, 51, 102, 255), blob: null as Buffer | null, tags: ['a'] },
};
const extractorOf = (features: readonly Loose[], flags = true) =>
  compileExtractor(
    schema,
    features.map((feature) => featureSpec.parse(feature)),
    { flags },
  );

function extract(features: readonly Loose[], changes: object = {}, flags = true) {
  const extractor = extractorOf(features, flags);
  const row = new Float32Array(extractor.width).fill(NaN);
  const noticed = extractor.extract(type.toBuffer({ ...event, ...changes }), 0, row, 0);
  return { row: [...row], ...noticed };
}

const size = { field: 'size', kind: 'number', min: 0, max: 200 } as const;

describe('a number', () => {
  it.each([
    ['range', 50, 0.25],
    ['none', 50, 50],
    ['log', 50, Math.log1p(50) / Math.log1p(200)],
  ])('is scaled by %s', (scale, value, expected) => {
    const { row } = extract([{ ...size, scale }], { size: value });
    expect(row).toEqual([Math.fround(expected), 0, 0]);
  });

  it('outside its range is clipped, flagged and counted', () => {
    expect(extract([size], { size: 1e300 })).toEqual({ row: [1, 0, 1], missing: 0, outOfRange: 1, fields: 1 });
    expect(extract([size], { size: -1 })).toEqual({ row: [0, 0, 1], missing: 0, outOfRange: 1, fields: 1 });
    expect(extract([{ ...size, scale: 'log', min: -200 }], { size: -200 }).row).toEqual([0, 0, 0]);
  });

  it('that is missing is 0, flagged and counted', () => {
    expect(extract([size, size], { size: null })).toEqual({ row: [0, 1, 0, 0, 1, 0], missing: 2, outOfRange: 0, fields: 2 });
    expect(extract([size], { size: null }, false).row).toEqual([0]);
  });

  it.each([NaN, Infinity, -Infinity])('of %d is refused by name', (value) => {
    const expected = { code: 'SLUICE_NUMBER_NOT_FINITE', message: expect.stringContaining('size') };
    expect(() => extract([size], { size: value })).toThrow(expect.objectContaining(expected));
  });

  it('that is not finite does not matter where nobody reads it', () => {
    expect(() => extract([{ field: 'code', kind: 'category' }], { size: NaN })).not.toThrow();
  });
});

describe('a category', () => {
  const oneHot = (row: readonly number[]) => row.map((value, i) => (value === 1 ? i : -1)).filter((i) => i >= 0);

  it('sets one column, the same for the same value', () => {
    for (const field of ['sender.domain', 'level', 'code']) {
      const { row } = extract([{ field, kind: 'category', buckets: 16 }]);
      expect(oneHot(row)).toHaveLength(1);
      expect(row[16]).toBe(0);
    }
  });

  it('spreads values over its columns', () => {
    const hit = new Set(
      Array.from({ length: 200 }, (_, code) => oneHot(extract([{ field: 'code', kind: 'category', buckets: 16 }], { code }).row)[0]),
    );
    expect(hit.size).toBe(16);
  });

  it('hashes an enum by its symbol, as a text of the same letters', () => {
    const level = extract([{ field: 'level', kind: 'category', buckets: 512 }], { level: 'low' }, false);
    const domain = extract([{ field: 'sender.domain', kind: 'category', buckets: 512 }], { sender: { domain: 'low' } }, false);
    expect(level.row).toEqual(domain.row);
  });

  it('that is missing sets the column after its buckets', () => {
    expect(extract([{ field: 'sender.domain', kind: 'category', buckets: 3 }], { sender: { domain: null } })).toMatchObject({
      row: [0, 0, 0, 1],
      missing: 1,
    });
  });
});

describe('text, time and bytes', () => {
  it('text reads no further than maxBytes', () => {
    const feature = { field: 'body', kind: 'text', buckets: 128, maxBytes: 16 };
    expect(extract([feature as Loose], { body: 'free money now!! and later' }).row).toEqual(
      extract([feature as Loose], { body: 'free money now!!' }).row,
    );
  });

  it('time turns with the hour and the weekday, in the unit of its logical type', () => {
    const parts = ['hour', 'weekday'];
    const { row } = extract([{ field: 'received', kind: 'time', parts }]);
    // 06:00 is a quarter turn; Monday is one seventh.
    const expected = [1, 0, Math.sin((2 * Math.PI) / 7), Math.cos((2 * Math.PI) / 7)];
    row.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
    expect(extract([{ field: 'micros', kind: 'time', parts }]).row).toEqual(row);
  });

  it('time before 1970 has weekdays too', () => {
    const { row } = extract([{ field: 'received', kind: 'time', parts: ['weekday'] }], { received: Date.UTC(1969, 11, 28) });
    expect(row.map((value) => Math.round(value * 1e6))).toEqual([0, 1e6]);
  });

  it('bytes become fractions, or means of neighbours', () => {
    expect(extract([{ field: 'pixels', kind: 'bytes', length: 4 }]).row).toEqual([0, 51 / 255, 102 / 255, 1].map(Math.fround));
    expect(extract([{ field: 'pixels', kind: 'bytes', length: 4, pool: 2 }]).row).toEqual([25.5 / 255, 178.5 / 255].map(Math.fround));
  });

  it.each([[null], [Buffer.alloc(3)], [Buffer.alloc(5)]])('bytes of another length than stated are refused: %j', (blob) => {
    const expected = { code: 'SLUICE_IMAGE_INVALID', message: expect.stringContaining('blob') };
    expect(() => extract([{ field: 'blob', kind: 'bytes', length: 4 }], { blob })).toThrow(expect.objectContaining(expected));
  });
});

describe('a row', () => {
  const features: Loose[] = [size, { field: 'level', kind: 'category', buckets: 2 }, { field: 'body', kind: 'text', buckets: 3 }];

  it('names its columns in order', () => {
    const extractor = extractorOf(features);
    expect(extractor.names).toEqual([
      'size',
      'size:missing',
      'size:out-of-range',
      'level#0',
      'level#1',
      'level:missing',
      'body#0',
      'body#1',
      'body#2',
    ]);
    expect(extractor.width).toBe(9);
    expect(extractorOf(features, false).names).toEqual(['size', 'level#0', 'level#1', 'body#0', 'body#1', 'body#2']);
  });

  it('is written at its place, over what stood there, and nowhere else', () => {
    const extractor = extractorOf(features);
    const batch = new Float32Array(3 * extractor.width).fill(7);
    const framed = Buffer.concat([Buffer.alloc(10), type.toBuffer(event)]);
    extractor.extract(framed, 10, batch, extractor.width);
    expect([...batch.subarray(extractor.width, 2 * extractor.width)]).toEqual(extract(features).row);
    expect([...batch.subarray(0, extractor.width), ...batch.subarray(2 * extractor.width)].every((value) => value === 7)).toBe(true);
  });

  it('does not remember the event before', () => {
    const extractor = extractorOf(features);
    const row = new Float32Array(extractor.width);
    for (const before of [1e9, null])
      extractor.extract(type.toBuffer({ ...event, size: before, level: 'low', body: 'other words' }), 0, row, 0);
    expect({ ...extractor.extract(type.toBuffer(event), 0, row, 0) }).toEqual({ missing: 0, outOfRange: 0, fields: 3 });
    expect([...row]).toEqual(extract(features).row);
  });

  it('comes only from a whole value: damage behind the last field that is read is found', () => {
    const extractor = extractorOf([size]);
    const row = new Float32Array(extractor.width);
    const bytes = type.toBuffer(event);
    const codeOf = (value: Buffer) => {
      try {
        extractor.extract(value, 0, row, 0);
        return 'none';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(codeOf(bytes)).toBe('none');
    expect(codeOf(bytes.subarray(0, -1))).toBe('SLUICE_AVRO_TRUNCATED');
    expect(codeOf(Buffer.concat([bytes, Buffer.of(0)]))).toBe('SLUICE_AVRO_INVALID');
  });
});

describe('a feature that the schema cannot give is refused before the first event', () => {
  it.each<[string, Loose]>([
    ['there is no field sizes', { ...size, field: 'sizes' }],
    ['feature body (number) reads number, the schema has text', { ...size, field: 'body' }],
    ['feature code (text) reads text or bytes, the schema has number', { field: 'code', kind: 'text' }],
    ['feature body (time) reads number, the schema has text', { field: 'body', kind: 'time', parts: ['hour'] }],
    ['feature body (bytes) reads bytes, the schema has text', { field: 'body', kind: 'bytes', length: 4 }],
    ['field tags is a array', { field: 'tags', kind: 'category' }],
  ])('%s', (message, feature) => {
    expect(() => extractorOf([feature])).toThrow(
      expect.objectContaining({ code: 'SLUICE_SCHEMA_INVALID', message: expect.stringContaining(message) }),
    );
  });
});

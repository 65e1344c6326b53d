import { defineCodec } from './codec.ts';

interface Pet {
  readonly name: string;
  readonly legs: number;
}

const v1 = { type: 'record', name: 'Pet', fields: [{ name: 'name', type: 'string' }] };
const v2 = {
  type: 'record',
  name: 'Pet',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'legs', type: 'int', default: 4 },
  ],
};

describe('a codec with earlier versions', () => {
  const old = defineCodec<{ readonly name: string }>({ schema: v1 });
  const now = defineCodec<Pet>({ schema: v2, earlier: [v1] });

  it('reads what the earlier one wrote, with defaults', () => {
    expect(now.decode(old.encode({ name: 'Rex' }))).toEqual({ name: 'Rex', legs: 4 });
    expect(now.decode(now.encode({ name: 'Tweety', legs: 2 }))).toEqual({ name: 'Tweety', legs: 2 });
  });

  it('refuses what it does not know rather than guess', () => {
    const bytes = now.encode({ name: 'Rex', legs: 4 });
    expect(() => old.decode(bytes)).toThrow(
      expect.objectContaining({ code: 'SLUICE_AVRO_INVALID', message: expect.stringContaining('Pet') }),
    );
  });
});

it('a damaged list count costs no memory: it is refused before a list is built', () => {
  const codec = defineCodec<readonly number[]>({ schema: { type: 'array', name: 'List', items: 'int' } });
  const bytes = Buffer.concat([codec.encode([]).subarray(0, 10), Buffer.from('feffffffff3f', 'hex')]);
  expect(() => codec.decode(bytes)).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }));
});

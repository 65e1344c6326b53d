import avro from 'avsc';
import { fingerprint } from './fingerprint.ts';
import { encodeSingleObject, RequestSchemas } from './framing.ts';

const first = { type: 'record', name: 'Event', fields: [{ name: 'a', type: 'int' }] };
const second = { type: 'record', name: 'Event', fields: [{ name: 'a', type: 'long' }] };
const schemas = new RequestSchemas([first, second], { '17': 1, '4294967295': 0 });
const code = (value: Buffer | null): string => {
  try {
    schemas.identify(value);
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('identifying a request value', () => {
  it('knows single-object values by fingerprint', () => {
    const value = encodeSingleObject(second, { a: 5 });
    expect(value.readBigUInt64LE(2)).toBe(fingerprint(second));
    expect(schemas.identify(value)).toEqual({ schema: 1, start: 10 });
    expect(schemas.identify(encodeSingleObject(first, { a: 5 }))).toEqual({ schema: 0, start: 10 });
    expect(value.subarray(10)).toEqual(Buffer.of(10));
  });

  it('knows Confluent values by the id that the flow maps', () => {
    expect(schemas.identify(Buffer.from('0000000011' + '0a', 'hex'))).toEqual({ schema: 1, start: 5 });
    expect(schemas.identify(Buffer.from('00ffffffff' + '0a', 'hex'))).toEqual({ schema: 0, start: 5 });
  });

  it.each([
    ['a tombstone', null, 'SLUICE_VALUE_MISSING'],
    ['no bytes', Buffer.alloc(0), 'SLUICE_FRAMING_UNKNOWN'],
    ['JSON', Buffer.from('{"a":5}'), 'SLUICE_FRAMING_UNKNOWN'],
    ['half a marker', Buffer.of(0xc3), 'SLUICE_FRAMING_UNKNOWN'],
    ['a cut fingerprint', Buffer.from('c3010102', 'hex'), 'SLUICE_AVRO_TRUNCATED'],
    ['a foreign fingerprint', Buffer.from('c3010102030405060708', 'hex'), 'SLUICE_SCHEMA_UNKNOWN'],
    ['a cut id', Buffer.from('000000', 'hex'), 'SLUICE_AVRO_TRUNCATED'],
    ['a foreign id', Buffer.from('000000001200', 'hex'), 'SLUICE_SCHEMA_UNKNOWN'],
  ])('refuses %s', (_, value, expected) => {
    expect(code(value)).toBe(expected);
  });
});

it('a producer may hand over an avsc type instead of a schema', () => {
  const type = avro.Type.forSchema(first as never);
  expect(encodeSingleObject(type, { a: 5 })).toEqual(encodeSingleObject(first, { a: 5 }));
});

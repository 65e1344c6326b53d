import fc from 'fast-check';
import { formatterProperties, parseConsoleRecord, recordCutter, unescapeBytes } from './console-format.ts';

/** What org.apache.kafka.common.utils.Bytes.toString prints. */
const escapeBytes = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => (byte >= 32 && byte <= 126 && byte !== 92 ? String.fromCharCode(byte) : hex(byte))).join('');
const hex = (byte: number): string => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const headerName = fc.stringMatching(/^[a-z_-]{1,12}$/).filter((name) => name !== '__proto__');

const line = (fields: readonly string[]): string => fields.join('\x1f');
const print = (headers: Record<string, Buffer>, key: Buffer, value?: Buffer): string => {
  const printed = Object.entries(headers).map(([name, content]) => `${name}:${escapeBytes(content)}`);
  const start = ['CreateTime:17', 'Partition:2', 'Offset:40', printed.length > 0 ? printed.join('\x1e') : 'NO_HEADERS', escapeBytes(key)];
  return line(value === undefined ? start : [...start, escapeBytes(value)]);
};

describe('what the console consumer prints', () => {
  it('gives back any bytes of key, value and headers', () => {
    fc.assert(
      fc.property(fc.dictionary(headerName, bytes, { noNullPrototype: true }), bytes, bytes, (headers, key, value) => {
        const record = parseConsoleRecord('t', print(headers, key, value));
        expect(record).toEqual({ topic: 't', partition: 2, offset: 40, timestamp: 17, key, value, headers });
      }),
    );
  });

  it('tells a missing key from one that spells a null', () => {
    expect(parseConsoleRecord('t', line(['CreateTime:1', 'Partition:0', 'Offset:0', 'NO_HEADERS', '\\x18nothing\\x18'])).key).toBeNull();
    expect(parseConsoleRecord('t', print({}, Buffer.from('null'))).key).toEqual(Buffer.from('null'));
  });

  it('has no value when none was asked for', () => {
    expect(formatterProperties(false)).toContain('print.value=false');
    expect(parseConsoleRecord('t', print({}, Buffer.from('k')))).not.toHaveProperty('value');
  });

  it.each(['', 'Processed a total of 3 messages', line(['CreateTime:1', 'Offset:1', 'Partition:0', 'NO_HEADERS', 'k'])])(
    'refuses %j rather than guessing',
    (text) => expect(() => parseConsoleRecord('t', text)).toThrow('console consumer printed'),
  );

  it('is cut into records wherever the chunks end', () => {
    const texts = ['first', '', 'third with \\x1D in it'];
    const whole = Buffer.from(texts.map((text) => `${text}\x1d`).join(''));
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
        const seen: string[] = [];
        const feed = recordCutter((text) => seen.push(text));
        const edges = [0, ...cuts.sort((a, b) => a - b), whole.length];
        edges.slice(1).forEach((edge, at) => feed(whole.subarray(edges[at], edge)));
        expect(seen).toEqual(texts);
      }),
    );
  });

  it('keeps a byte that looks like a separator apart from one', () => {
    expect(unescapeBytes('\\x1F\\x1E\\x1D\\x5C')).toEqual(Buffer.from([0x1f, 0x1e, 0x1d, 0x5c]));
  });
});

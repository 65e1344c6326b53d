import { encodeSingleObject } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';
import avro from 'avsc';
import { compileSignature } from '../signature.ts';
import { sampleFlow } from '../testing/sample.ts';

const schema = {
  type: 'record',
  name: 'Mail',
  fields: [
    { name: 'size', type: 'double' },
    { name: 'sender', type: ['null', 'string'] },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['news', 'bill'] } },
    { name: 'urgent', type: 'boolean' },
    { name: 'body', type: 'bytes' },
    { name: 'route', type: { type: 'record', name: 'Route', fields: [{ name: 'region', type: 'string' }] } },
  ],
} as const;
const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' } as never);
const mail = { size: 5, sender: 'ann', kind: 'bill', urgent: true, body: Buffer.of(1), route: { region: 'eu' } };

const flowBy = (segments?: object): Flow => sampleFlow(undefined, { target: segments === undefined ? {} : { segments } });

function readerOf(segments?: object): (record?: object, headers?: Record<string, Buffer>) => string {
  const signature = compileSignature(flowBy(segments), [schema]);
  return (record = {}, headers = {}) => {
    const value = encodeSingleObject(type as never, { ...mail, ...record });
    return signature.read({ value, schema: 0, start: 10, now: 0, requestedAt: 0, deadlineAt: 0, headers }).segment;
  };
}

describe('the segment of a request', () => {
  it('is empty where the flow names none', () => {
    expect(readerOf()()).toBe('');
  });

  it.each([
    ['a text', { by: 'sender' }, {}, 'ann'],
    ['no text', { by: 'sender' }, { sender: null }, '(none)'],
    ['a text beyond ASCII', { by: 'sender' }, { sender: 'Änne' }, 'Änne'],
    ['a text that is too long for a name', { by: 'sender' }, { sender: 'x'.repeat(65) }, '(other)'],
    ['a field of a record in it', { by: 'route.region' }, {}, 'eu'],
    ['an enum', { by: 'kind' }, {}, 'bill'],
    ['a boolean', { by: 'urgent' }, {}, 'true'],
    ['a number below the first edge', { by: 'size', edges: [2, 5.5] }, { size: -1 }, 'below 2'],
    ['a number on an edge', { by: 'size', edges: [2, 5.5] }, { size: 2 }, '2 to 5.5'],
    ['a number above the last', { by: 'size', edges: [2, 5.5] }, { size: 9 }, 'from 5.5'],
  ])('is told by %s', (_, segments, record, expected) => {
    expect(readerOf(segments)(record)).toBe(expected);
  });

  it('is told by a header, or its absence', () => {
    const segmentOf = readerOf({ by: 'header.tenant' });
    expect(segmentOf({}, { tenant: Buffer.from('acme') })).toBe('acme');
    expect(segmentOf({})).toBe('(none)');
  });

  it('is right for thousands of values in turn, though only the latest are remembered', () => {
    const segmentOf = readerOf({ by: 'sender' });
    for (let n = 0; n < 3000; n++) for (const sender of [`s${n}`, `s${n >> 1}`, 'ann']) expect(segmentOf({ sender })).toBe(sender);
  });

  it.each([
    ['a field that is not there', { by: 'colour' }, 'there is no field colour'],
    ['a number without edges', { by: 'size' }, 'target.segments.by: size is a number: declare the edges between its segments'],
    ['edges of a text', { by: 'sender', edges: [1] }, 'target.segments.by: sender has edges, but is no number'],
    ['edges of a header', { by: 'header.tenant', edges: [1] }, 'target.segments.by: header.tenant has edges, but is no number'],
    ['bytes', { by: 'body' }, 'target.segments.by: body is bytes'],
  ])('cannot be told by %s', (_, segments, message) => {
    expect(() => readerOf(segments)).toThrow(message);
  });
});

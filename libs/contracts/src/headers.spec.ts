import { header, headerBytes, headerText, readRequestHeaders, sourceText } from './headers.ts';

describe('readRequestHeaders', () => {
  it('takes a request without any header', () => {
    expect(readRequestHeaders({})).toEqual({});
    expect(readRequestHeaders({ traceparent: Buffer.from('x'), other: [Buffer.of(0xff), 'a'] })).toEqual({});
  });

  it('reads each header, as text or as bytes', () => {
    const headers = {
      ce_id: Buffer.from('é-1'),
      ce_time: '2026-01-31T12:00:00.5+01:00',
      'deadline-ms': Buffer.from('250'),
      priority: '9',
      tenant: Buffer.from('acme'),
    };
    expect(readRequestHeaders(headers)).toEqual({
      id: 'é-1',
      deadlineMs: 250,
      priority: 9,
      tenant: 'acme',
      time: Date.UTC(2026, 0, 31, 11, 0, 0, 500),
    });
  });

  it.each([
    ['ce_id', Buffer.alloc(0), 'is empty'],
    ['ce_id', Buffer.of(0xc3, 0x28), 'is not UTF-8'],
    ['ce_id', Buffer.from('a\nb'), 'control character'],
    ['ce_id', Buffer.alloc(257, 'a'), 'longer than 256 bytes'],
    ['ce_id', [Buffer.from('a'), Buffer.from('b')], 'more than once'],
    ['ce_id', null, 'has no value'],
    ['deadline-ms', Buffer.of(0, 0, 1, 0), 'whole number'],
    ['deadline-ms', Buffer.from('-1'), 'whole number'],
    ['deadline-ms', Buffer.from('1e3'), 'whole number'],
    ['deadline-ms', Buffer.from(''), 'whole number'],
    ['deadline-ms', Buffer.from('2147483648'), 'whole number'],
    ['priority', Buffer.from('10'), 'from 0 to 9'],
    ['tenant', Buffer.alloc(129, 'a'), 'longer than 128 bytes'],
    ['ce_time', Buffer.from('yesterday'), 'RFC 3339'],
    ['ce_time', Buffer.from('2026-13-31T12:00:00Z'), 'RFC 3339'],
    ['ce_time', Buffer.from('1769860800000'), 'RFC 3339'],
  ])('refuses %s = %j', (name, value, fault) => {
    const expected = { code: 'SLUICE_HEADER_INVALID', message: expect.stringContaining(fault) };
    expect(() => readRequestHeaders({ [name]: value as Buffer })).toThrow(expect.objectContaining(expected));
    expect(() => readRequestHeaders({ [name]: value as Buffer })).toThrow(name);
  });
});

describe('a header that was stamped on every hop', () => {
  const headers = { [header.source]: [Buffer.from('a/0/1'), Buffer.from('b/0/2')], [header.tag]: Buffer.of(1, 2) };

  it('is read as it was stamped last', () => {
    expect(headerText(headers, header.source)).toBe('b/0/2');
    expect(headerBytes(headers, header.tag)).toEqual(Buffer.of(1, 2));
    expect(headerText(headers, 'none')).toBeUndefined();
    expect(headerBytes(headers, 'none')).toBeUndefined();
  });

  it('names coordinates as topic/partition/offset', () => {
    expect(sourceText({ topic: 'mail.requests', partition: 3, offset: 14 })).toBe('mail.requests/3/14');
  });
});

import { SluiceError } from '@sluice/domain';
import { deadLetter, readDeadLetter, type RefusedRecord } from './dead-letter.ts';
import { header, headerText } from './headers.ts';

const record: RefusedRecord = {
  topic: 'mail.requests',
  partition: 1,
  offset: 42,
  timestamp: 1_760_000_000_000,
  key: Buffer.from('k'),
  value: Buffer.of(0xff, 0),
  headers: { ce_id: Buffer.from('a'), [header.origin]: Buffer.from('forged/0/0') },
};
const refuse = (changes: Partial<RefusedRecord>, error = new SluiceError('SLUICE_AVRO_INVALID', 'bad')) =>
  deadLetter({ record: { ...record, ...changes }, error, stage: 'router', topic: 'mail.dead-letters', attempts: 3 });

describe('a dead letter', () => {
  it('keeps key, value and headers of the record as they were', () => {
    const letter = refuse({});
    expect(letter).toMatchObject({ topic: 'mail.dead-letters', from: { topic: 'mail.requests', partition: 1, offset: 42 } });
    expect(letter.key).toBe(record.key);
    expect(letter.value).toBe(record.value);
    expect(letter.headers['ce_id']).toBe(record.headers['ce_id']);
  });

  it('says what was wrong, who said so, and where the record stood', () => {
    expect(readDeadLetter(refuse({}))).toEqual({
      code: 'SLUICE_AVRO_INVALID',
      class: 'reject',
      message: 'bad',
      stage: 'router',
      source: { topic: 'mail.requests', partition: 1, offset: 42 },
      timestamp: 1_760_000_000_000,
      attempts: 3,
    });
  });

  it('tells a declared drop from a reject', () => {
    expect(readDeadLetter(refuse({}, new SluiceError('SLUICE_DUPLICATE_ID', 'again'))).class).toBe('drop');
  });

  it('believes the origin a worker carries, and not one that a producer made up', () => {
    expect(headerText(refuse({}).headers, header.origin)).toBe('mail.requests/1/42');
    expect(headerText(refuse({ topic: 'mail.outcomes' }).headers, header.origin)).toBe('mail.outcomes/1/42');
    expect(headerText(refuse({ topic: 'mail.model.m' }).headers, header.origin)).toBe('forged/0/0');
  });

  it('does not grow with the message', () => {
    const letter = refuse({}, new SluiceError('SLUICE_AVRO_INVALID', 'x'.repeat(1_000_000)));
    expect(readDeadLetter(letter).message).toHaveLength(2_000);
  });

  it('without its header is an error of the table', () => {
    expect(() => readDeadLetter({ headers: {} })).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }));
    expect(() => readDeadLetter({ headers: { [header.deadLetter]: '{}' } })).toThrow(
      expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }),
    );
  });
});

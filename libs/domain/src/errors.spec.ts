import { errorTable, type ErrorCode } from './error-table.ts';
import { describeError, SluiceError, toSluiceError } from './errors.ts';

describe('the error table', () => {
  it.each(Object.entries(errorTable))('%s says in whole sentences what happened, to which record, and what to do', (code, entry) => {
    expect(code).toMatch(/^SLUICE_[A-Z]+(_[A-Z]+)*$/);
    for (const sentence of [entry.what, entry.record, entry.remedy]) expect(sentence).toMatch(/^\S.*[.`]$/s);
  });

  it('sends to the dead letters exactly what is rejected or dropped, and what finds no way that the flow declares', () => {
    for (const [code, entry] of Object.entries(errorTable)) {
      const deadLetters = entry.record.includes('<flow>.dead-letters');
      const declared = entry.class === 'retry' && entry.record.includes('`fallback`');
      expect([code, deadLetters]).toEqual([code, entry.class === 'reject' || entry.class === 'drop' || declared]);
    }
  });
});

describe('a SluiceError', () => {
  it('takes class and remedy from the table', () => {
    const error = new SluiceError('SLUICE_FENCED', 'taken over');
    expect(error).toMatchObject({ name: 'SluiceError', code: 'SLUICE_FENCED', class: 'retry', remedy: errorTable.SLUICE_FENCED.remedy });
    expect(error).toBeInstanceOf(Error);
  });

  it('passes through unchanged where others are wrapped with their cause', () => {
    const own = new SluiceError('SLUICE_STALLED', 's');
    expect(toSluiceError(own, 'SLUICE_MODEL_FAILED')).toBe(own);
    const cause = new TypeError('x is undefined');
    expect(toSluiceError(cause, 'SLUICE_MODEL_FAILED')).toMatchObject({ code: 'SLUICE_MODEL_FAILED', message: 'x is undefined', cause });
  });

  it.each([['a text'], [undefined], [null], [{ odd: true }]])('can be made of anything thrown: %j', (thrown) => {
    expect(toSluiceError(thrown, 'SLUICE_PROCESSOR_FAILED')).toMatchObject({
      code: 'SLUICE_PROCESSOR_FAILED',
      message: String(thrown),
      cause: thrown,
    });
  });

  it('is described in one line with its causes and its remedy, and repeats nothing', () => {
    const inner = new Error('connection refused');
    const middle = new Error('no broker', { cause: inner });
    const code: ErrorCode = 'SLUICE_BROKER_UNREACHABLE';
    const text = describeError(new SluiceError(code, 'no broker', { cause: middle }));
    expect(text).toBe(`SLUICE_BROKER_UNREACHABLE: no broker. Cause: connection refused. ${errorTable[code].remedy}`);
    expect(describeError(new SluiceError(code, 'alone'))).toBe(`SLUICE_BROKER_UNREACHABLE: alone. ${errorTable[code].remedy}`);
  });
});

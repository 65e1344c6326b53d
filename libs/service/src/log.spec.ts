import { SluiceError } from '@sluice/domain';
import { createLogger, type LogLevel } from './log.ts';

function capture(level?: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { lines, log: createLogger('router', { destination, instance: 'one', ...(level && { level }) }) };
}

const given = process.env['SLUICE_LOG'];
beforeEach(() => {
  delete process.env['SLUICE_LOG'];
});
afterAll(() => {
  if (given !== undefined) process.env['SLUICE_LOG'] = given;
});

describe('createLogger', () => {
  it('writes one JSON object per event with app, instance, level and time', () => {
    const { lines, log } = capture();
    log.info('service.started', { health: 'http://127.0.0.1:1' });
    expect(lines).toEqual([
      { level: 'info', time: expect.any(String), app: 'router', instance: 'one', event: 'service.started', health: 'http://127.0.0.1:1' },
    ]);
    expect(Date.parse(String(lines[0]!['time']))).not.toBeNaN();
  });

  it('is silent about debug events at its usual level', () => {
    const { lines, log } = capture();
    log.debug('pipe.committed');
    expect(lines).toEqual([]);
  });

  it('takes its level from SLUICE_LOG and refuses one that does not exist', () => {
    process.env['SLUICE_LOG'] = 'debug';
    const { lines, log } = capture();
    log.debug('pipe.committed');
    expect(lines).toHaveLength(1);
    process.env['SLUICE_LOG'] = 'loud';
    expect(() => createLogger('router')).toThrow(expect.objectContaining({ code: 'SLUICE_CONFIG_INVALID' }));
  });

  it('never writes a payload', () => {
    const { lines, log } = capture();
    log.warn('record.rejected', {
      value: 'secret text',
      payload: { a: 'secret text' },
      key: 'secret text',
      buffer: Buffer.from('secret text'),
      row: [1],
    });
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(lines[0]).toMatchObject({ event: 'record.rejected', buffer: '(11 bytes)' });
    expect(lines[0]).not.toHaveProperty('row');
  });

  it('writes an error with its code and the chain of its causes', () => {
    const { lines, log } = capture();
    const cause = new Error('connect ECONNREFUSED');
    log.error('broker.lost', new SluiceError('SLUICE_BROKER_UNREACHABLE', 'no broker at x:1', { cause }), { attempt: 3 });
    expect(lines[0]).toMatchObject({
      level: 'error',
      attempt: 3,
      err: { type: 'SluiceError', code: 'SLUICE_BROKER_UNREACHABLE', cause: { message: 'connect ECONNREFUSED' } },
    });
  });

  it('takes the lines of libs that log fields and a message', () => {
    const { lines, log } = capture();
    log.warn({ event: 'records-gone', from: 1, value: 'secret' }, 'records expired unread');
    expect(lines[0]).toMatchObject({ event: 'records-gone', from: 1, msg: 'records expired unread' });
    expect(lines[0]).not.toHaveProperty('value');
  });

  it('adds the fields of a child to each of its lines', () => {
    const { lines, log } = capture();
    log.child({ partition: 4 }).info('partition.assigned');
    expect(lines[0]).toMatchObject({ app: 'router', partition: 4, event: 'partition.assigned' });
  });
});

import { placeOf } from './records.ts';
import type { OutRecord } from './port.ts';

const from = { topic: 'in', partition: 5, offset: 0 };
const record = (more: Partial<OutRecord>): OutRecord => ({ topic: 'out', key: null, value: null, from, ...more });

describe('the partition of an output', () => {
  it('is that of its lane, wrapped where the topic has fewer', () => {
    expect(placeOf(record({ lane: 3, key: Buffer.from('k') }), 2)).toBe(1);
    expect(placeOf(record({ lane: 3 }), 4)).toBe(3);
  });

  it('is never another than the one named: state that belongs to it would mix', () => {
    expect(placeOf(record({ partition: 1 }), 2)).toBe(1);
    expect(() => placeOf(record({ partition: 2 }), 2)).toThrow(expect.objectContaining({ code: 'SLUICE_TOPIC_MISMATCH' }));
  });
});

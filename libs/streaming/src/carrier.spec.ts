import fc from 'fast-check';
import { header, readDeadLetter } from '@sluice/contracts';
import { SluiceError } from '@sluice/domain';
import { attemptsAlone, Carrier, type Work } from './carrier.ts';
import { newStats } from './stats.ts';
import type { InRecord, PipeSpec, Processor } from './port.ts';

const record = (offset: number): InRecord => ({
  topic: 'in', partition: 0, offset, timestamp: 1, key: Buffer.from(`k${offset}`), value: Buffer.from(String(offset)), headers: {},
}); // prettier-ignore

const copy = (slice: readonly InRecord[]) => slice.map((one) => ({ topic: 'out', key: one.key, value: one.value, from: one }));

function carrierOf(processor: Processor, commit: (work: Work) => Promise<void> = async () => undefined) {
  const works: Work[] = [];
  const stats = newStats();
  const spec = { group: 'g', stage: 'router', deadLetters: 'dead' } as PipeSpec;
  const carrier = new Carrier({ spec, processor, stats, commit: async (work) => (await commit(work), void works.push(work)) });
  return { carrier, works, stats };
}

describe('a carrier', () => {
  it('commits every record exactly once, in order, whichever records are poison', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(39)), fc.integer({ min: 1, max: 40 }), async (poison, count) => {
        const process = (slice: readonly InRecord[]) => {
          if (slice.some(({ offset }) => poison.includes(offset))) throw new Error('poison');
          return copy(slice);
        };
        const { carrier, works, stats } = carrierOf({ process });
        await carrier.carry(Array.from({ length: count }, (_, offset) => record(offset)));
        const outputs = works.flatMap((work) => work.outputs);
        expect(works.flatMap((work) => work.slice.map(({ offset }) => offset))).toEqual([...Array(count).keys()]);
        expect(outputs.map((output) => output.from.offset)).toEqual([...Array(count).keys()]);
        const dead = outputs.filter(({ topic }) => topic === 'dead').map(({ from }) => from.offset);
        expect(dead).toEqual(poison.filter((offset) => offset < count).sort((a, b) => a - b));
        expect(stats.deadLetters).toBe(dead.length);
      }),
    );
  });

  it('makes one dead letter of a batch that cannot be read, and shows its processor only the records beside it', async () => {
    const { carrier, works } = carrierOf({ process: copy });
    const damaged = {
      ...record(1),
      key: null,
      value: Buffer.from('bytes of the batch'),
      damage: 'offsets 1 to 1: checksum 0, the batch says 1',
    };
    await carrier.carry([record(0), damaged, record(2)]);
    const [first, second, letter] = works.flatMap((work) => work.outputs);
    expect([first!.from.offset, second!.from.offset]).toEqual([0, 2]);
    expect(letter).toMatchObject({ topic: 'dead', value: damaged.value, from: { offset: 1 } });
    expect(readDeadLetter(letter as never)).toMatchObject({ code: 'SLUICE_BATCH_DAMAGED', message: expect.stringContaining('checksum') });
  });

  it('tries a failing record three times alone and then says why in its dead letter', async () => {
    let tries = 0;
    const cause = () => {
      tries++;
      throw new SluiceError('SLUICE_MODEL_FAILED', 'NaN came out');
    };
    const { carrier, works } = carrierOf({ process: cause });
    await carrier.carry([record(7)]);
    expect(tries).toBe(attemptsAlone);
    const [letter] = works[0]!.outputs;
    expect(letter).toMatchObject({ topic: 'dead', key: Buffer.from('k7'), value: Buffer.from('7') });
    expect(readDeadLetter({ headers: letter!.headers! })).toMatchObject({ code: 'SLUICE_MODEL_FAILED', stage: 'router', attempts: 3 });
    expect(letter!.headers![header.deadLetter]).toBeInstanceOf(Buffer);
  });

  it('calls a failure without a code SLUICE_PROCESSOR_FAILED', async () => {
    const { carrier, works } = carrierOf({ process: () => { throw new TypeError('x is undefined'); } }); // prettier-ignore
    await carrier.carry([record(0)]);
    expect(readDeadLetter({ headers: works[0]!.outputs[0]!.headers! }).code).toBe('SLUICE_PROCESSOR_FAILED');
  });

  it('recovers from a failure that passes without any dead letter', async () => {
    let first = true;
    const process = (slice: readonly InRecord[]) => {
      if (first) {
        first = false;
        throw new Error('once');
      }
      return copy(slice);
    };
    const { carrier, works, stats } = carrierOf({ process });
    await carrier.carry([record(0), record(1)]);
    expect(works).toHaveLength(1);
    expect(stats).toMatchObject({ deadLetters: 0, aborts: 1, records: 2 });
  });

  it('takes a slice apart when the log refuses one of its outputs for what it is', async () => {
    const commit = async ({ outputs }: Work) => {
      if (outputs.some(({ topic, from }) => topic === 'out' && from.offset === 2))
        throw new SluiceError('SLUICE_RECORD_TOO_LARGE', 'too large');
    };
    const { carrier, works } = carrierOf({ process: copy }, commit);
    await carrier.carry([0, 1, 2, 3].map(record));
    const dead = works.flatMap((work) => work.outputs).filter(({ topic }) => topic === 'dead');
    expect(dead.map(({ from }) => from.offset)).toEqual([2]);
  });

  it('lets the failure of a log pass through without touching the processor', async () => {
    const calls: string[] = [];
    const processor = { process: copy, committed: () => void calls.push('committed'), aborted: () => void calls.push('aborted') };
    const { carrier } = carrierOf(processor, async () => {
      throw new Error('connection lost');
    });
    await expect(carrier.carry([record(0)])).rejects.toThrow('connection lost');
    expect(calls).toEqual([]);
  });

  it('ends on a fatal error and on a hook that throws', async () => {
    const fatal = carrierOf({ process: () => { throw new SluiceError('SLUICE_MODEL_MISSING', 'gone'); } }); // prettier-ignore
    await expect(fatal.carrier.carry([record(0)])).rejects.toMatchObject({ code: 'SLUICE_MODEL_MISSING' });
    const hook = carrierOf({ process: copy, committed: () => { throw new Error('disk full'); } }); // prettier-ignore
    await expect(hook.carrier.carry([record(0)])).rejects.toMatchObject({ code: 'SLUICE_PROCESSOR_FAILED' });
  });
});

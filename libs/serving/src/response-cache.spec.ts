import { SluiceError, type Answer } from '@sluice/domain';
import fc from 'fast-check';
import { ResponseCache } from './response-cache.ts';
import type { InferValue } from './row-queue.ts';

const value = (id: number): InferValue => ({ value: Buffer.from([0, 0, id]), schema: 0, start: 2 });

/** A model that answers the number in the bytes as the label, and remembers what it was asked. */
function model() {
  const state = { version: '1.0.0', asked: [] as number[], fail: false };
  const answer = (label: number): Answer => ({
    tier: 't',
    model: 'm',
    version: state.version,
    label,
    confidence: 1,
    margin: 1,
    entropy: 0,
  });
  const server = {
    get manifest() {
      return { version: state.version } as never;
    },
    async infer(values: readonly InferValue[]) {
      const ids = values.map(({ value: bytes }) => bytes[2]!);
      state.asked.push(...ids);
      const answers = ids.map((id) => (id === 255 ? new SluiceError('SLUICE_MODEL_FAILED', 'no') : answer(id)));
      await new Promise((resolve) => setImmediate(resolve));
      if (state.fail) throw new SluiceError('SLUICE_CLOSED', 'closed');
      return answers;
    },
  };
  return { state, server };
}

const labels = (results: readonly (Answer | SluiceError)[]) =>
  results.map((result) => (result instanceof SluiceError ? 'failed' : result.label));

describe('a response cache', () => {
  it('gives every row its own answer, whatever repeats when, and asks the model once for what fits', async () => {
    const call = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 8 }), fc.boolean(), async (calls, together) => {
        const { state, server } = model();
        const cache = new ResponseCache(server, 1e6);
        const run = async (ids: number[]) => expect(labels(await cache.infer(ids.map(value)))).toEqual(ids);
        if (together) await Promise.all(calls.map(run));
        else for (const ids of calls) await run(ids);
        const ids = calls.flat();
        expect(state.asked.sort()).toEqual([...new Set(ids)].sort());
        expect(cache.hitRate).toBeCloseTo(ids.length === 0 ? 0 : 1 - new Set(ids).size / ids.length, 9);
      }),
    );
  });

  it('is right also when it holds less than one call', async () => {
    const { server } = model();
    const cache = new ResponseCache(server, 800);
    for (let turn = 0; turn < 3; turn++) expect(labels(await cache.infer([1, 2, 3, 4, 1, 2].map(value)))).toEqual([1, 2, 3, 4, 1, 2]);
  });

  it('asks a new version again, and keeps no error', async () => {
    const { state, server } = model();
    const cache = new ResponseCache(server, 1e6);
    await cache.infer([value(1), value(255)]);
    expect(labels(await cache.infer([value(1), value(255)]))).toEqual([1, 'failed']);
    state.version = '2.0.0';
    expect(await cache.infer([value(1)])).toMatchObject([{ version: '2.0.0' }]);
    expect(state.asked).toEqual([1, 255, 255, 1]);
  });

  it('recalls what was last answered to an equal request, the newest version first, without asking', async () => {
    const { state, server } = model();
    const cache = new ResponseCache(server, 1e6);
    await cache.infer([value(1), value(2)]);
    state.version = '2.0.0';
    await cache.infer([value(2), value(255)]);
    expect([1, 2, 3, 255].map((id) => cache.recall(value(id))?.version)).toEqual(['1.0.0', '2.0.0', undefined, undefined]);
    expect(state.asked).toEqual([1, 2, 2, 255]);
  });

  it('rejects all who wait when the server does, and asks again afterwards', async () => {
    const { state, server } = model();
    const cache = new ResponseCache(server, 1e6);
    state.fail = true;
    const calls = await Promise.allSettled([cache.infer([value(1)]), cache.infer([value(1), value(2)])]);
    expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    state.fail = false;
    expect(labels(await cache.infer([value(1)]))).toEqual([1]);
  });
});

import { ManualClock, parseFlow, SluiceError, type Answer, type Flow } from '@sluice/domain';
import { ModelBreaker } from './breaker.ts';

const answer: Answer = { tier: 'fast', model: 'mail-fast', version: '1.0.0', label: 0, confidence: 0.9, margin: 0.8, entropy: 0.2 };
const fault = new SluiceError('SLUICE_MODEL_FAILED', 'boom');
const lost = new SluiceError('SLUICE_MODEL_LOST', 'late');
const unreadable = new SluiceError('SLUICE_AVRO_TRUNCATED', 'ends early');

/** A breaker before a model whose next answers are set by the test, and how often the model was asked. */
function bench(more: Partial<Flow['breaker']> = {}) {
  const clock = new ManualClock(1_000_000);
  const flow = parseFlow({
    ...{ flow: 'mail', description: 'A flow for tests.', request: { schemas: ['mail.avsc'], deadlineMs: 5_000 }, labels: ['ham', 'spam'] },
    ...{ signature: [{ field: 'links', kind: 'number', min: 0, max: 10 }], target: {}, breaker: more },
    tiers: ['fast', 'heavy'].map((name) => ({ name, model: `mail-${name}` })),
  });
  const breaker = new ModelBreaker({ model: 'mail-fast', instance: 'one', flow, clock });
  const model = { asked: 0, answers: [answer] as readonly (Answer | SluiceError)[], takes: 0 };
  const run = () =>
    breaker.guard(model.answers.length, async () => {
      model.asked++;
      clock.advance(model.takes);
      return model.answers;
    });
  return { breaker, model, run, clock };
}

describe('the breaker before a model', () => {
  it('opens after three batches that failed whole: then every row fails at once, and the model is not asked', async () => {
    const { breaker, model, run } = bench();
    model.answers = [fault, lost, unreadable];
    for (let turn = 0; turn < 3; turn++) expect(await run()).toEqual([fault, lost, unreadable]);
    expect(breaker.isOpen).toBe(true);
    expect(await run()).toEqual(Array(3).fill(expect.objectContaining({ code: 'SLUICE_BREAKER_OPEN' })));
    expect(model.asked).toBe(3);
  });

  it('stays closed while some row of each batch is answered, or rows fail for their own bytes', async () => {
    const { breaker, model, run } = bench();
    model.answers = [fault, answer];
    for (let turn = 0; turn < 10; turn++) await run();
    model.answers = [unreadable];
    for (let turn = 0; turn < 10; turn++) await run();
    expect(breaker.isOpen).toBe(false);
    expect(model.asked).toBe(20);
  });

  it('tries one batch after its dwell time, and closes when that is answered', async () => {
    const { breaker, model, run, clock } = bench();
    model.answers = [fault];
    for (let turn = 0; turn < 3; turn++) await run();
    clock.advance(2_000);
    expect(breaker.isOpen).toBe(false);
    model.answers = [answer];
    expect(await Promise.all([run(), run()])).toEqual([[answer], [expect.objectContaining({ code: 'SLUICE_BREAKER_OPEN' })]]);
    expect(await run()).toEqual([answer]);
  });

  it('tries a model that stays down ever more rarely: in ten minutes at least 20 times and at most 50', async () => {
    const { model, run, clock } = bench();
    model.answers = [fault];
    for (let turn = 0; turn < 3; turn++) await run();
    for (let second = 0; second < 600; second++) {
      await run();
      clock.advance(1_000);
    }
    // Between 15 and 30 s each, and some sooner at first.
    expect(model.asked - 3).toBeGreaterThanOrEqual(20);
    expect(model.asked - 3).toBeLessThanOrEqual(50);
  });

  it('opens when batches in a row are answered later than declared, and no one in time is among them; late answers are used', async () => {
    const { breaker, model, run } = bench({ slowMs: 200 });
    for (const takes of [201, 201, 200, 201, 5_000]) {
      model.takes = takes;
      expect(await run()).toEqual([answer]);
    }
    expect(breaker.isOpen).toBe(false);
    model.takes = 207;
    expect(await run()).toEqual([answer]);
    expect(breaker.isOpen).toBe(true);
    expect(await run()).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/too slow for 3 batches in a row, with 207 ms/) }),
    ]);
  });

  it('takes a batch for slow that needs all the time a request may take, where nothing is declared', async () => {
    const { breaker, model, run } = bench();
    const opensAt = async (takes: number) => {
      model.takes = takes;
      for (let turn = 0; turn < 3; turn++) await run();
      return breaker.isOpen;
    };
    expect([await opensAt(5_000), await opensAt(5_001)]).toEqual([false, true]);
  });

  it('leaves a model alone again whose trial is slow', async () => {
    const { breaker, model, run, clock } = bench({ failures: 1, slowMs: 200 });
    model.takes = 201;
    await run();
    clock.advance(2_000);
    expect(await run()).toEqual([answer]);
    expect(breaker.isOpen).toBe(true);
  });

  it('opens for a model that is farther behind its topic than declared, for a while', async () => {
    const { breaker, run, clock } = bench({ lagMs: 3_000 });
    breaker.lags(3_000);
    expect(breaker.isOpen).toBe(false);
    breaker.lags(3_001);
    expect(await run()).toEqual([expect.objectContaining({ message: expect.stringMatching(/is 3001 ms behind its topic/) })]);
    clock.advance(2_000);
    expect(await run()).toEqual([answer]);
    expect(breaker.isOpen).toBe(false);
  });

  it('does not ask how far a model is behind where nothing is declared', () => {
    const { breaker } = bench();
    breaker.lags(1e9);
    expect(breaker.isOpen).toBe(false);
  });

  it('lets an error of the server itself pass', async () => {
    const { breaker } = bench();
    const closed = new SluiceError('SLUICE_CLOSED', 'closed');
    await expect(breaker.guard(1, () => Promise.reject(closed))).rejects.toBe(closed);
  });
});

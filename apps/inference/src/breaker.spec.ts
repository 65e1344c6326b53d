import { SluiceError, type Answer } from '@sluice/domain';
import { ModelBreaker } from './breaker.ts';

const answer: Answer = { tier: 'fast', model: 'mail-fast', version: '1.0.0', label: 0, confidence: 0.9, margin: 0.8, entropy: 0.2 };
const fault = new SluiceError('SLUICE_MODEL_FAILED', 'boom');
const unreadable = new SluiceError('SLUICE_AVRO_TRUNCATED', 'ends early');

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A breaker before a model whose next answers are set by the test, and how often the model was asked. */
function bench() {
  const breaker = new ModelBreaker('mail-fast');
  const model = { asked: 0, answers: [answer] as readonly (Answer | SluiceError)[] };
  const run = () =>
    breaker.guard(model.answers.length, async () => {
      model.asked++;
      return model.answers;
    });
  return { breaker, model, run };
}

describe('the breaker before a model', () => {
  it('opens after three batches that failed whole: then every row fails at once, and the model is not asked', async () => {
    const { breaker, model, run } = bench();
    model.answers = [fault, fault];
    for (let turn = 0; turn < 3; turn++) expect(await run()).toEqual([fault, fault]);
    expect(breaker.isOpen).toBe(true);
    const refused = await run();
    expect(refused).toHaveLength(2);
    expect(refused).toEqual([
      expect.objectContaining({ code: 'SLUICE_MODEL_FAILED' }),
      expect.objectContaining({ code: 'SLUICE_MODEL_FAILED' }),
    ]);
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
    const { breaker, model, run } = bench();
    model.answers = [fault];
    for (let turn = 0; turn < 3; turn++) await run();
    jest.advanceTimersByTime(60_000);
    model.answers = [answer];
    expect(await run()).toEqual([answer]);
    expect(breaker.isOpen).toBe(false);
  });

  it('never tries a model that stays down more often than its dwell time grows', async () => {
    const { model, run } = bench();
    model.answers = [fault];
    for (let turn = 0; turn < 3; turn++) await run();
    for (let second = 0; second < 600; second++) {
      await run();
      jest.advanceTimersByTime(1_000);
    }
    // Ten minutes at 30 s of dwell are 20 tries; the first ones come sooner, and jitter may shorten some.
    expect(model.asked - 3).toBeGreaterThan(5);
    expect(model.asked - 3).toBeLessThan(120);
  });

  it('lets an error of the server itself pass', async () => {
    const { breaker } = bench();
    const closed = new SluiceError('SLUICE_CLOSED', 'closed');
    await expect(breaker.guard(1, () => Promise.reject(closed))).rejects.toBe(closed);
  });
});

import { header, headerText, readDeadLetter } from '@sluice/contracts';
import { ManualClock } from '@sluice/domain';
import { explain, renderExplanation } from '@sluice/routing';
import { memoryBus } from '@sluice/streaming';
import { redrive } from '../dlq/redrive.ts';
import { retryRun } from './testing/retry-run.ts';

const start = 1_000_000;

/** The model is lost on an event of this number up to so many seconds after the start. */
async function openRun(lostUntil: (links: number) => number) {
  const clock = new ManualClock(start);
  let turn = 0;
  const bus = memoryBus({ now: () => clock.now(), abort: () => turn++ % 4 === 0 });
  // By the time, not by how often it is asked: a slice whose transaction aborts is asked again.
  const isLost = (links: number) => clock.now() < start + 1_000 * lostUntil(links);
  const run = await retryRun({ bus, clock, name: 'mail', delaysMs: [5_000, 60_000], isLost });
  const at = async (seconds: number) => {
    clock.advance(start + 1_000 * seconds - clock.now());
    await bus.settle();
  };
  return { ...run, bus, at };
}

describe('a flow that tries again', () => {
  it('answers an event that failed twice at the third attempt, not before its time, though transactions abort; the others do not wait', async () => {
    const run = await openRun((links) => (links === 7 ? 60 : 0));
    await run.publish(Array.from({ length: 20 }, (_, links) => links));
    await run.at(0);
    expect(await run.predictions()).toHaveLength(19);
    await run.at(4.999);
    expect(await run.predictions()).toHaveLength(19);
    await run.at(5);
    await run.at(64.999);
    expect(await run.predictions()).toHaveLength(19);
    await run.at(65);
    const predictions = await run.predictions();
    expect(new Set(await run.origins()).size).toBe(20);
    expect(predictions).toHaveLength(20);
    const last = predictions.find(({ trail }) => trail.length > 2)!;
    expect(last.trail.map(({ reason }) => reason)).toEqual(['heavy-only:warm-up', 'model-lost:retry=5s', 'model-lost:retry=1m', 'heavy']);
    expect(renderExplanation(explain(last))).toContain('did not answer, so it was put aside to be tried again after 1m.');
  });

  it('makes a dead letter of an event whose attempts are used up, with all of them counted, and a redrive counts on', async () => {
    const run = await openRun(() => Infinity);
    await run.publish([1]);
    for (const seconds of [0, 5, 65]) await run.at(seconds);
    const [letter] = await run.bus.readAll([run.topics.deadLetters]);
    expect(readDeadLetter(letter!)).toMatchObject({ code: 'SLUICE_MODEL_LOST', stage: 'mail-heavy', attempts: 3 });
    expect(headerText(letter!.headers, header.attempts)).toBe('2');
    expect(await redrive(run.bus, 'mail', {})).toMatchObject({ sent: [{}] });
    await run.at(66);
    const letters = await run.bus.readAll([run.topics.deadLetters]);
    expect(letters.map((one) => readDeadLetter(one).attempts)).toEqual([3, 4]);
    expect(await run.predictions()).toEqual([]);
  });
});

import fc from 'fast-check';
import { batchJoin, toldOf, type Told } from '../testing/batch-join.ts';
import { flowOf, outcomeFact, predictionFact, shadowFact } from '../testing/fixtures.ts';
import type { Fact } from './fact.ts';
import { JoinState, type JoinStep } from './join-state.ts';
import { mapStore, type JoinStore } from './store.ts';

const flow = flowOf({ feedback: { windowMs: 100, graceMs: 20 } });

function tell({ examples, unmatched }: Pick<JoinStep, 'examples' | 'unmatched'>): Told[] {
  const told = examples.map((example) => toldOf(flow, example));
  return [...told, ...unmatched.map(({ id, origin }) => `unmatched ${id}@${origin.split('/')[2]}`)];
}

/** Examples and dead letters go to two topics: each keeps its order. */
const inStreams = (told: readonly Told[]) => [
  told.filter((one) => !one.startsWith('unmatched')),
  told.filter((one) => one.startsWith('unmatched')),
];

async function play(join: JoinState, facts: readonly Fact[]): Promise<Told[]> {
  const step = join.fold(facts);
  await join.commit(step);
  return tell(step);
}

const idArbitrary = fc.constantFrom('a', 'b', 'c', 'd');
const timeArbitrary = fc.integer({ min: 0, max: 500 });
const factArbitrary: fc.Arbitrary<Fact> = fc.oneof(
  fc
    .record({
      id: idArbitrary,
      at: timeArbitrary,
      drawn: fc.boolean(),
      ran: fc.constantFrom(['fast'], ['fast', 'heavy'], ['fast', 'standard', 'heavy']),
    })
    .map(predictionFact),
  fc.tuple(idArbitrary, fc.constantFrom('fast', 'standard', 'heavy', 'unheard-of')).map(([id, tier]) => shadowFact(id, tier)),
  fc.tuple(idArbitrary, timeArbitrary, fc.constantFrom('ham', 'spam')).map(([id, at, label]) => outcomeFact(id, at, label)),
);
/** Facts in about the order of their times, as topics have them, so that matches happen and not only expiries. */
const logArbitrary = fc.array(factArbitrary, { maxLength: 60 }).map((facts) =>
  facts
    .map(roughTime)
    .sort((a, b) => a.at - b.at)
    .map(({ fact }) => fact),
);

function roughTime(fact: Fact, index: number): { fact: Fact; at: number } {
  const jitter = ((index * 7919) % 90) - 45;
  if (fact.kind === 'shadow') return { fact, at: (index * 37) % 500 };
  return { fact, at: jitter + (fact.kind === 'prediction' ? fact.prediction.requestedAt : fact.outcome.at) };
}

describe('JoinState', () => {
  it('gives the same as joining the whole log at once, for any interleaving, repeats and lateness', async () => {
    const wanted = fc.asyncProperty(logArbitrary, async (log) => {
      const join = await JoinState.open(flow, mapStore());
      expect((await play(join, log)).sort()).toEqual(batchJoin(flow, log));
    });
    await fc.assert(wanted, { numRuns: 400 });
  });

  it('gives the same, in the same order, however the log is sliced, aborted and restarted from its changelog', async () => {
    const cutArbitrary = fc.array(fc.record({ length: fc.integer({ min: 1, max: 9 }), aborted: fc.boolean(), restarted: fc.boolean() }), {
      minLength: 1,
      maxLength: 40,
    });
    const wanted = fc.asyncProperty(logArbitrary, cutArbitrary, async (log, cuts) => {
      const changelog = new Map<string, Uint8Array>();
      const whole = await play(await JoinState.open(flow, mapStore()), log);
      let join = await JoinState.open(flow, mapStore());
      const told: Told[] = [];
      for (let at = 0, turn = 0; at < log.length; turn++) {
        const { length, aborted, restarted } = cuts[turn % cuts.length]!;
        const slice = log.slice(at, at + length);
        if (aborted) {
          join.fold(slice);
          join.discard();
        }
        const step = join.fold(slice);
        for (const [key, bytes] of step.changes) {
          if (bytes === null) changelog.delete(key);
          else changelog.set(key, bytes);
        }
        await join.commit(step);
        told.push(...tell(step));
        at += length;
        if (restarted) join = await JoinState.open(flow, await storeOf([...changelog].reverse()));
      }
      expect(inStreams(told)).toEqual(inStreams(whole));
    });
    await fc.assert(wanted, { numRuns: 300 });
  });

  it('forgets everything once window and grace are over', async () => {
    const store = mapStore();
    const join = await JoinState.open(flow, store);
    for (let block = 0; block < 50; block++) {
      const facts = Array.from({ length: 20 }, (_, index) =>
        predictionFact({ id: `${block}-${index}`, at: block * 30, drawn: index % 2 === 0 }),
      );
      await play(join, [...facts, outcomeFact(`${block}-3`, block * 30 + 1), shadowFact(`${block}-4`, 'heavy')]);
      // Five blocks of 30 ms cover 100 ms window and 20 ms grace; one more entry holds the clock.
      expect(store.size).toBeLessThanOrEqual(5 * 20 + 1);
    }
    await play(join, [outcomeFact('far', 10_000)]);
    expect(store.size).toBe(2);
  });

  it('joins an outcome that comes before its prediction', async () => {
    const join = await JoinState.open(flow, mapStore());
    const told = await play(join, [outcomeFact('a', 12), predictionFact({ id: 'a', at: 10 })]);
    expect(told).toEqual(['decision a', 'truth a:spam [fast]']);
  });

  it('lets the truth of an audited event wait for its shadow answers, so that it carries all of them', async () => {
    const join = await JoinState.open(flow, mapStore());
    const early = [predictionFact({ id: 'a', at: 10, drawn: true }), outcomeFact('a', 12), shadowFact('a', 'heavy')];
    expect(await play(join, early)).toEqual(['decision a']);
    expect(await play(join, [shadowFact('a', 'standard')])).toEqual([
      'shadow a [fast,standard,heavy]',
      'truth a:spam [fast,standard,heavy]',
    ]);
  });

  it('gives the truth with what is known when shadow answers never come', async () => {
    const join = await JoinState.open(flow, mapStore());
    await play(join, [predictionFact({ id: 'a', at: 10, drawn: true }), outcomeFact('a', 12), shadowFact('a', 'heavy')]);
    expect(await play(join, [predictionFact({ id: 'b', at: 131 })])).toEqual(['truth a:spam [fast,heavy]', 'decision b']);
  });

  it('keeps the bytes and the origin of an outcome without prediction, also through a restart', async () => {
    const step = (await JoinState.open(flow, mapStore())).fold([outcomeFact('a', 12)]);
    const join = await JoinState.open(flow, await storeOf(step.changes));
    const { unmatched } = join.fold([outcomeFact('b', 500)]);
    expect(unmatched).toHaveLength(1);
    expect(unmatched[0]).toMatchObject({ code: 'SLUICE_OUTCOME_UNMATCHED', id: 'a', origin: 'mail.outcomes/0/12' });
    expect(new TextDecoder().decode(unmatched[0]!.value)).toBe('outcome of a at 12');
  });

  it('refuses an outcome whose label the flow does not have', async () => {
    const join = await JoinState.open(flow, mapStore());
    const { unmatched } = join.fold([predictionFact({ id: 'a', at: 10 }), outcomeFact('a', 12, 'eggs')]);
    expect(unmatched).toMatchObject([{ code: 'SLUICE_OUTCOME_INVALID', id: 'a' }]);
  });

  it('does not let one wrong clock close the windows of others', async () => {
    const join = await JoinState.open(flow, mapStore());
    const future = { ...outcomeFact('x', 1e15), loggedAt: 11 };
    await play(join, [predictionFact({ id: 'a', at: 10 }), future, outcomeFact('a', 60)]);
    expect(join.streamTime).toBe(60);
  });

  it('counts the repeats and the late without emitting anything', async () => {
    const join = await JoinState.open(flow, mapStore());
    const facts = [
      predictionFact({ id: 'a', at: 200 }),
      predictionFact({ id: 'a', at: 201 }),
      predictionFact({ id: 'b', at: 10 }),
      shadowFact('a', 'heavy'),
    ];
    expect(await play(join, facts)).toEqual(['decision a']);
    expect(join.counts).toMatchObject({ facts: 4, duplicates: 2, late: 1 });
  });

  it('takes one step at a time', async () => {
    const join = await JoinState.open(flow, mapStore());
    join.fold([]);
    expect(() => join.fold([])).toThrow(/neither committed nor discarded/);
  });
});

async function storeOf(changes: Iterable<readonly [string, Uint8Array | null]>): Promise<JoinStore> {
  const store = mapStore();
  await store.apply([...changes]);
  return store;
}

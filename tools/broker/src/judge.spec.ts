import fc from 'fast-check';
import type { JudgeRecord } from './console-format.ts';
import { isClean, judge } from './judge.ts';
import { simulateLog } from '../testing/log-simulator.ts';
import type { Fate, SimulatedLog } from '../testing/log-simulator.ts';

const fate: fc.Arbitrary<Fate> = fc.record({
  partition: fc.nat(2),
  key: fc.option(fc.nat(3), { nil: undefined }),
  end: fc.constantFrom('fast', 'heavy', 'reject', 'rejectAtModel', 'redriven', 'drop'),
});
const log = fc.array(fate, { minLength: 1, maxLength: 60 }).map(simulateLog);
/** A log and one of its answers, by topic and index. */
const logAndAnswer = fc.tuple(log, fc.nat()).map(([records, pick]) => {
  const answers = [...records.predictions.map((_, at) => ['predictions', at]), ...records.deadLetters.map((_, at) => ['deadLetters', at])];
  const [topic, at] = answers[pick % answers.length] as ['predictions' | 'deadLetters', number];
  return { records, topic, at };
});

const without = (list: readonly JudgeRecord[], at: number): JudgeRecord[] => list.filter((_, index) => index !== at);
const placeOf = (record: JudgeRecord): string => `${record.topic}/${record.partition}/${record.offset}`;

/** Exchanges what two records say, leaving where they stand: the second has overtaken the first. */
function swapped(list: readonly JudgeRecord[], a: number, b: number): JudgeRecord[] {
  const copy = [...list];
  const [first, second] = [list[a], list[b]] as [JudgeRecord, JudgeRecord];
  copy[a] = { ...second, partition: first.partition, offset: first.offset };
  copy[b] = { ...first, partition: second.partition, offset: second.offset };
  return copy;
}

describe('the judge', () => {
  it('finds a faultless run clean, and its sum holds', () => {
    fc.assert(
      fc.property(log, (records) => {
        const verdict = judge(records);
        expect(verdict.faults).toEqual([]);
        expect(isClean(verdict)).toBe(true);
        expect(verdict.predictions + verdict.deadLetters + verdict.drops).toBe(verdict.requests);
        expect(verdict.requests).toBe(records.requests.length);
      }),
    );
  });

  it('finds every answer that is taken away', () => {
    fc.assert(
      fc.property(logAndAnswer, ({ records, topic, at }) => {
        const verdict = judge({ ...records, [topic]: without(records[topic], at) });
        expect(verdict).toMatchObject({ lost: 1, duplicated: 0, unexplained: 0 });
        expect(verdict.faults.join()).toContain('has no answer');
      }),
    );
  });

  it('finds every answer that is written twice, and takes it for no disorder', () => {
    fc.assert(
      fc.property(logAndAnswer, ({ records, topic, at }) => {
        const again = { ...(records[topic][at] as JudgeRecord), offset: 1_000_001 };
        const copyOfLast = judge({ ...records, [topic]: [...records[topic], again] });
        expect(copyOfLast).toMatchObject({ lost: 0, duplicated: 1, unexplained: 0 });
      }),
    );
  });

  it('finds a request that got both a prediction and a dead letter', () => {
    const records = simulateLog([{ partition: 0, key: 1, end: 'fast' }]);
    const origin = { 'sluice-origin': Buffer.from(placeOf(records.requests[0] as JudgeRecord)) };
    const letter = { ...(records.predictions[0] as JudgeRecord), topic: 'mail.dead-letters', headers: origin };
    expect(judge({ ...records, deadLetters: [letter] })).toMatchObject({ duplicated: 1, predictions: 1, deadLetters: 1 });
  });

  it('takes no dead letter for an answer whose record was sent again to where it was refused, and finds one more that nobody sent again', () => {
    const records = simulateLog([{ partition: 0, key: 1, end: 'redriven' }]);
    expect(judge(records)).toMatchObject({ predictions: 1, deadLetters: 0, redriven: 1, lost: 0, duplicated: 0 });
    const letter = { ...(records.deadLetters[0] as JudgeRecord), offset: 99 };
    expect(judge({ ...records, deadLetters: [...records.deadLetters, letter] })).toMatchObject({ duplicated: 1 });
    expect(judge({ ...records, predictions: [] })).toMatchObject({ lost: 1 });
    const [first] = records.routed as [JudgeRecord];
    expect(judge({ ...records, routed: [first] })).toMatchObject({ duplicated: 1, redriven: 0 });
  });

  it('finds every exchange of two records that share key, way and target', () => {
    fc.assert(
      fc.property(log, fc.nat(), (records, pick) => {
        const pair = pairsInOneLane(records)[pick % Math.max(1, pairsInOneLane(records).length)];
        fc.pre(pair !== undefined);
        const verdict = judge({ ...records, [pair.topic]: swapped(records[pair.topic], pair.a, pair.b) });
        expect(verdict.orderViolations).toBeGreaterThan(0);
        expect(verdict).toMatchObject({ lost: 0, duplicated: 0, unexplained: 0 });
      }),
    );
  });

  it('lets records of different keys overtake each other', () => {
    const records = simulateLog([1, 2, 3, 0].map((key) => ({ partition: 0, key, end: 'reject' })));
    expect(judge({ ...records, deadLetters: swapped(records.deadLetters, 0, 3) }).orderViolations).toBe(0);
  });

  it('finds an answer without an origin, or with one that is no request', () => {
    const records = simulateLog([{ partition: 0, key: 1, end: 'fast' }]);
    const stray = (headers: Record<string, Buffer>) => ({ ...(records.predictions[0] as JudgeRecord), offset: 99, headers });
    const strays = [stray({}), stray({ 'sluice-origin': Buffer.from('mail.requests/7/7') }), stray({ 'sluice-origin': Buffer.from('x') })];
    expect(judge({ ...records, predictions: [...records.predictions, ...strays] }).unexplained).toBe(3);
  });

  it('leaves dead letters of outcomes and of failed shadow runs out of the sum', () => {
    const records = simulateLog([{ partition: 0, key: 1, end: 'fast' }]);
    const letter = (headers: Record<string, string>, offset: number): JudgeRecord => ({
      ...{ topic: 'mail.dead-letters', partition: 0, offset, timestamp: 0, key: null },
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)])),
    });
    const outcome = letter({ 'sluice-source': 'mail.facts/0/3', 'sluice-origin': 'mail.outcomes/0/3', 'sluice-class': 'drop' }, 0);
    const shadow = letter({ 'sluice-origin': placeOf(records.requests[0] as JudgeRecord), 'sluice-class': 'shadow' }, 2);
    expect(judge({ ...records, deadLetters: [outcome, shadow] })).toMatchObject({ duplicated: 0, unexplained: 0, otherDeadLetters: 2 });
  });

  it('takes one dead letter for all the requests it says expired, and finds one of them that was answered', () => {
    const records = simulateLog(Array.from({ length: 4 }, () => ({ partition: 0, key: 1, end: 'fast' as const })));
    const first = placeOf(records.requests[1] as JudgeRecord);
    const marks = { 'sluice-origin': first, 'sluice-class': 'drop', 'sluice-until': String(records.requests[3]?.offset) };
    const headers = Object.fromEntries(Object.entries(marks).map(([name, text]) => [name, Buffer.from(text)]));
    const gone: JudgeRecord = { topic: 'mail.dead-letters', partition: 0, offset: 9, timestamp: 0, key: null, headers };
    const predictions = [0, 3].map((at) => records.predictions[at] as JudgeRecord);
    expect(judge({ ...records, predictions, deadLetters: [gone] })).toMatchObject({ expired: 2, lost: 0, duplicated: 0, faults: [] });
    expect(judge({ ...records, predictions: [...predictions, records.predictions[2] as JudgeRecord], deadLetters: [gone] })).toMatchObject({
      duplicated: 1,
    });
  });

  it('takes the source for the origin where only one hop was made', () => {
    const records = simulateLog([{ partition: 0, key: 1, end: 'reject' }]);
    const [letter] = records.deadLetters as [JudgeRecord];
    const headers = { 'sluice-source': letter.headers['sluice-source'] as Buffer };
    expect(isClean(judge({ ...records, deadLetters: [{ ...letter, headers }] }))).toBe(true);
  });
});

interface Pair {
  readonly topic: 'predictions' | 'deadLetters' | 'routed';
  readonly a: number;
  readonly b: number;
}

function pairsInOneLane(records: SimulatedLog): Pair[] {
  const keys = new Map(records.requests.map((request) => [placeOf(request), request.key?.toString('hex') ?? '']));
  const laneOf = (record: JudgeRecord): string | undefined => {
    // Sent again by hand: it came from no partition.
    if (record.headers['sluice-source'] === undefined) return undefined;
    const source = String(record.headers['sluice-source']).replace(/\/\d+$/, '');
    return `${record.topic}/${record.partition}|${source}|${keys.get(String(record.headers['sluice-origin']))}`;
  };
  return (['predictions', 'deadLetters', 'routed'] as const).flatMap((topic) => {
    const lanes = records[topic].map(laneOf);
    return lanes.flatMap((lane, b) => {
      const a = lanes.indexOf(lane);
      return lane !== undefined && a < b ? [{ topic, a, b }] : [];
    });
  });
}

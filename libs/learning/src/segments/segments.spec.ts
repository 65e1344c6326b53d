import { safeEnd } from '../loss-bound.ts';
import { flowOf } from '../testing/fixtures.ts';
import { Segments } from './segments.ts';

const flow = flowOf({ target: { segments: { by: 'header.tenant', most: 2 } } });
const whole = { anchor: -3, swing: 0.4 };
const created = (): Segments => new Segments(flow, flow.target.segments!);

/** Segments of which `a` has served `events` without any harm. */
function served(events: number): Segments {
  const segments = created();
  for (let event = 0; event < events; event++) segments.served('a', 0, 0.01);
  return segments;
}

const offsetOf = (segments: Segments, at = whole): number => segments.policies(at)[0]!.offset;

describe('the offset of a segment', () => {
  it('starts at nothing, whatever the flow has come to', () => {
    expect(Math.abs(offsetOf(served(1)))).toBeLessThan(1e-3);
  });

  it('goes to the threshold that the segment would have alone, as its events grow', () => {
    const [few, some, many] = [30, 2500, 100_000].map((events) => served(events));
    const alone = (segments: Segments): number => segments.policies({ anchor: -3, swing: 0 })[0]!.offset;
    expect(Math.abs(offsetOf(few!))).toBeLessThan(0.01);
    expect(offsetOf(some!)).toBeCloseTo(alone(some!) - 0.2, 6);
    // Its account is full: at theta 0 the swing is all the way up, and ln tau 0.
    expect(-3 + whole.swing + offsetOf(many!)).toBeCloseTo(0, 12);
  });

  it('never lifts a threshold above 1, nor an unspent segment to its safe end', () => {
    const many = served(100_000);
    expect(many.policies({ anchor: -0.01, swing: 0 })).toEqual([{ segment: 'a', offset: 0.01, heavyOnly: false }]);
  });
});

describe('a segment whose account is spent', () => {
  it('is for heavy alone until it has earned enough, and the others are not', () => {
    const segments = served(10);
    segments.served('b', 0, 0.01);
    segments.correct('b', 200);
    expect(segments.policies(whole).map(({ segment, heavyOnly }) => [segment, heavyOnly])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    const theta = (): number => segments.stats[1]!.theta;
    while (theta() <= safeEnd) segments.served('b', 0, 0.01);
    expect(segments.policies(whole)[1]!.heavyOnly).toBe(false);
  });
});

describe('events', () => {
  it('of more segments than are kept apart share an account, and those without any segment have none', () => {
    const segments = created();
    for (const name of ['a', '', 'b', 'c', 'd', 'a']) segments.served(name, 0, 0.01);
    segments.correct('d', 1);
    segments.correct('', 1);
    expect(segments.stats.map(({ segment, events, estimatedLoss }) => [segment, events, estimatedLoss])).toEqual([
      ['a', 2, 0],
      ['b', 1, 0],
      ['(other)', 2, 1],
    ]);
  });
});

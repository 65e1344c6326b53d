import fc from 'fast-check';
import { ManualClock } from '@sluice/domain';
import { Circuit, type Evidence } from './circuit.ts';

const options = { name: 'test', failures: 3, dwellMs: 1_000, longestMs: 30_000, random: () => 0 };

/** How long each opening lasted at least when nothing but failures comes, tried once a millisecond. */
function openingsOf(random: () => number, count: number): number[] {
  const circuit = new Circuit({ ...options, failures: 1, random });
  const lasted: number[] = [];
  let opened = 0;
  for (let now = 0; lasted.length < count; now++) {
    const pass = circuit.enter(now);
    if (pass === undefined) continue;
    if (now > 0) lasted.push(now - opened);
    opened = now;
    circuit.leave(pass, 'failed', now);
  }
  return lasted;
}

describe('a circuit', () => {
  it('doubles the time it stays open, up to the longest, less up to half by jitter and never below the dwell time', () => {
    expect(openingsOf(() => 0, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(openingsOf(() => 0.5, 4)).toEqual([1_500, 3_000, 6_000, 12_000]);
    expect(openingsOf(() => 1 - 1e-9, 6)).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('lets one call at a time try it, and what earlier calls led to no longer counts', () => {
    const circuit = new Circuit(options);
    const early = circuit.enter(0)!;
    for (let turn = 0; turn < 3; turn++) circuit.leave(circuit.enter(0)!, 'failed', 0);
    expect(circuit.enter(999)).toBeUndefined();
    const trial = circuit.enter(1_000)!;
    expect(circuit.enter(1_000)).toBeUndefined();
    circuit.leave(early, 'answered', 1_000);
    expect(circuit.state).toBe('half-open');
    circuit.leave(trial, 'nothing', 1_000);
    circuit.leave(circuit.enter(1_001)!, 'answered', 1_001);
    expect(circuit.state).toBe('closed');
  });

  it('opens longer each time it opens soon after it was closed, and begins anew when it stayed closed', () => {
    const circuit = new Circuit({ ...options, failures: 1 });
    const fail = (now: number) => circuit.leave(circuit.enter(now)!, 'failed', now);
    const succeed = (now: number) => circuit.leave(circuit.enter(now)!, 'answered', now);
    fail(0);
    succeed(1_000);
    fail(1_999);
    expect(circuit.isOpen(3_998)).toBe(true);
    succeed(3_999);
    fail(4_999);
    expect(circuit.isOpen(5_998)).toBe(true);
    expect(circuit.isOpen(5_999)).toBe(false);
  });

  it('can be opened at once for what no call shows, but not kept open by it', () => {
    const circuit = new Circuit(options);
    const early = circuit.enter(0)!;
    circuit.trip(0);
    circuit.leave(early, 'answered', 0);
    circuit.trip(999);
    expect([circuit.isOpen(999), circuit.isOpen(1_000)]).toEqual([true, false]);
    const trial = circuit.enter(1_000)!;
    circuit.trip(1_000);
    circuit.leave(trial, 'answered', 1_000);
    expect(circuit.state).toBe('closed');
    circuit.trip(1_001);
    expect([circuit.isOpen(3_000), circuit.isOpen(3_001)]).toEqual([true, false]);
  });

  it('never changes between closed and open and back faster than its dwell time, whatever is called when, answered how and tripped', () => {
    const evidence = fc.constantFrom<Evidence>('answered', 'failed', 'failed', 'nothing');
    const move = fc.record({ after: fc.nat(1_500), evidence, concurrent: fc.boolean(), trip: fc.boolean() });
    const settings = fc.record({
      failures: fc.integer({ min: 1, max: 4 }),
      dwellMs: fc.integer({ min: 1, max: 2_000 }),
      more: fc.nat(9_000),
    });
    fc.assert(
      fc.property(
        settings,
        fc.array(move, { maxLength: 200 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (set, moves, dice) => {
          const clock = new ManualClock();
          const circuit = new Circuit({ ...options, ...set, longestMs: set.dwellMs + set.more, random: () => dice.next().value as number });
          let openedAt = -Infinity;
          const running: { pass: NonNullable<ReturnType<Circuit['enter']>>; evidence: Evidence }[] = [];
          const note = (before: string) => {
            if (before !== 'open' && circuit.state === 'open') {
              expect(clock.now() - openedAt).toBeGreaterThanOrEqual(set.dwellMs);
              openedAt = clock.now();
            }
            if (before === 'open' && circuit.state !== 'open') expect(clock.now() - openedAt).toBeGreaterThanOrEqual(set.dwellMs);
          };
          for (const { after, evidence: shown, concurrent, trip } of moves) {
            clock.advance(after);
            let before = circuit.state;
            if (trip) circuit.trip(clock.now());
            note(before);
            before = circuit.state;
            const pass = circuit.enter(clock.now());
            note(before);
            expect(pass === undefined || circuit.state !== 'open').toBe(true);
            if (pass !== undefined) running.push({ pass, evidence: shown });
            if (concurrent) continue;
            for (const one of running.splice(0)) {
              before = circuit.state;
              circuit.leave(one.pass, one.evidence, clock.now());
              note(before);
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

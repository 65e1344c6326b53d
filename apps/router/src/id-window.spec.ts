import fc from 'fast-check';
import { IdWindow } from './id-window.ts';

describe('IdWindow', () => {
  it('refuses an id within one slice and after its commit', () => {
    const window = new IdWindow(10);
    expect(window.admit('a')).toBe(true);
    expect(window.admit('a')).toBe(false);
    window.commit();
    expect(window.admit('a')).toBe(false);
  });

  it('takes the ids of an aborted slice again', () => {
    const window = new IdWindow(10);
    window.admit('a');
    window.rollback();
    expect(window.admit('a')).toBe(true);
  });

  it('admits everything when it is turned off', () => {
    const window = new IdWindow(0);
    expect([window.admit('a'), window.admit('a')]).toEqual([true, true]);
  });

  it('knows exactly the last ids of its capacity, whatever the slices were', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(30), { maxLength: 8 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        (slices, capacity) => {
          const window = new IdWindow(capacity);
          let known: string[] = [];
          for (const slice of slices) {
            const admitted: string[] = [];
            for (const id of slice.map(String)) {
              const fresh = !known.includes(id) && !admitted.includes(id);
              expect(window.admit(id)).toBe(fresh);
              if (fresh) admitted.push(id);
            }
            window.commit();
            known = [...known, ...admitted].slice(-capacity);
            expect(window.size).toBe(known.length);
          }
        },
      ),
    );
  });
});

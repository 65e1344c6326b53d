import { simulate } from '../../../testing/simulate.ts';

/** Milliseconds that only what hangs takes: 2,000 seeds take four to seven minutes where two suites share two busy cores. */
const hanging = 15 * 60_000;

describe('the pipe on a fake broker, thousands of seeds', () => {
  it('loses, doubles and disorders nothing under the faults of 2,000 seeds, commits nothing as a zombie, and always goes on', async () => {
    expect(await simulate('--seed', '201', '--seeds', '2000', '--keep-going')).toMatchObject({
      code: 0,
      output: expect.stringContaining('2000 seeds, 0 failed'),
    });
  }, hanging); // prettier-ignore

  it.each([
    ['unchecked', /(lost|never committed, but) on (left|right|dead)/],
    ['unfenced', /doubled on (left|right)|took offsets back/],
    ['late-fence', /doubled on (left|right)|took offsets back/],
    ['forgotten-fate', /doubled on (left|right)|took offsets back/],
    ['half-open', /not done \d+ ms after the last fault|did not close within/],
  ])('finds the defect of the mutant "%s"', async (mutant, finding) => {
    const { code, output } = await simulate('--seeds', '3000', '--mutant', mutant);
    expect(code).toBe(1);
    expect(output).toMatch(finding);
  }, hanging); // prettier-ignore

  it('sees a program that spins, and goes on with the next seed', async () => {
    const { code, output } = await simulate('--seed', '645', '--seeds', '3', '--mutant', 'stopped-fetchers', '--keep-going');
    expect(code).toBe(1);
    expect(output).toContain('spins: not over');
    expect(output).toContain('3 seeds, 1 failed');
  }, hanging); // prettier-ignore
});

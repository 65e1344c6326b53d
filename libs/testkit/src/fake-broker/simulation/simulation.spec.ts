import { simulate } from '../../../testing/simulate.ts';

const minutes = 60_000;

const digests = (output: string): Map<number, string> =>
  new Map(
    output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { seed: number; digest: string })
      .sort((a, b) => a.seed - b.seed)
      .map(({ seed, digest }) => [seed, digest]),
  );

describe('the pipe on a fake broker in virtual time', () => {
  it('plays a seed again byte for byte, at the same times', async () => {
    const [alone, beside] = await Promise.all([
      simulate('--seeds', '20', '--threads', '1', '--json'),
      simulate('--seeds', '20', '--threads', '2', '--json'),
    ]);
    expect(digests(beside.output)).toEqual(digests(alone.output));
    expect(new Set(digests(alone.output).values()).size).toBe(20);
  }, 2 * minutes); // prettier-ignore

  it('loses, doubles and disorders nothing under the faults of 200 seeds, and always goes on', async () => {
    expect(await simulate('--seeds', '200', '--keep-going')).toMatchObject({
      code: 0,
      output: expect.stringContaining('200 seeds, 0 failed'),
    });
  }, 3 * minutes); // prettier-ignore

  it.each([
    ['leak', /never committed, but on left/],
    ['kept-producer', /(lost|doubled) on (left|right)/],
    ['kept-epoch', /transactions failed, though nothing went wrong/],
    ['kept-id', /transactions failed, though nothing went wrong/],
    ['kept-sequences', /transactions failed, though nothing went wrong/],
  ])('finds the defect of the mutant "%s" and says how to see it again', async (mutant, finding) => {
    const { code, output } = await simulate('--seeds', '2000', '--mutant', mutant);
    expect(code).toBe(1);
    expect(output).toMatch(finding);
    expect(output).toMatch(new RegExp(`replay: npm run sim -- --seed \\d+ --mutant ${mutant}`));
  }, 3 * minutes); // prettier-ignore
});

import { z } from 'zod';
import { readCommandLine } from './command-line.ts';

const schema = z.object({
  flow: z.string().describe('The flow document'),
  maxSlice: z.number().default(500).describe('Most records in one transaction'),
  requireGpu: z.boolean().default(false).describe('Refuse to run on a CPU'),
});
const line = { name: 'router', summary: 'Routes requests.', schema, env: {} };

describe('readCommandLine', () => {
  it('reads flags by the names of the schema', () => {
    expect(readCommandLine({ ...line, argv: ['--flow', 'mail.yaml', '--require-gpu', '--max-slice=7'] })).toEqual({
      flow: 'mail.yaml',
      maxSlice: 7,
      requireGpu: true,
    });
  });

  it('lets a flag switch off what the environment switched on', () => {
    const argv = ['--flow', 'f', '--require-gpu', 'false'];
    expect(readCommandLine({ ...line, argv, env: { SLUICE_REQUIRE_GPU: '1' } })?.requireGpu).toBe(false);
  });

  it('prints every option with default and environment name for --help, and returns nothing', () => {
    const printed: string[] = [];
    expect(readCommandLine({ ...line, argv: ['--help'], print: (text) => printed.push(text) })).toBeUndefined();
    const help = printed.join('').replace(/\s+/g, ' ');
    expect(help).toContain('--max-slice <number> Most records in one transaction (default: 500, env: SLUICE_MAX_SLICE)');
    expect(help).toContain('--flow <text> The flow document (required, env: SLUICE_FLOW)');
  });

  it.each([
    [['--flaw', 'x'], /unknown option '--flaw'/],
    [['stray', '--flow', 'x'], /too many arguments/],
    [['--max-slice', '1'], /flow \(not given\)/],
  ])('refuses %j', (argv, message) => {
    expect(() => readCommandLine({ ...line, argv })).toThrow(
      expect.objectContaining({ code: 'SLUICE_CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });
});

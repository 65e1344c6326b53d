import { readOptions } from './options.ts';

const options = { data: { type: 'string' }, seeds: { type: 'string', default: '5' }, matrix: { type: 'boolean' } } as const;
const read = (...args: string[]) => readOptions('replay', options, args);

describe('readOptions', () => {
  it('reads what a bench has, with its defaults', () => {
    expect(read('--data', 'here', '--matrix')).toEqual({ values: { data: 'here', seeds: '5', matrix: true } });
  });

  it.each([['--speed'], ['here'], ['--data'], ['--matrix=1']])('says how a bench is called, and why %s was not understood', (arg) => {
    expect(read(arg)).toEqual({
      usage:
        'usage: npm run bench -- replay [options], in brackets what holds without one\n  --data TEXT\n  --seeds TEXT   (5)\n  --matrix',
      why: expect.stringMatching(/^[^\n]+$/) as string,
    });
  });

  it('says the same without a reason where it was asked for', () => {
    expect(Object.keys(read('--help'))).toEqual(['usage']);
  });
});

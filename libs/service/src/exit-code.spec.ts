import { errorTable, SluiceError, type ErrorCode } from '@sluice/domain';
import { exitCodeOf, exitCodes } from './exit-code.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

describe('exitCodeOf', () => {
  it.each(codes)('gives %s a documented code that is not 0', (code) => {
    const exit = exitCodeOf(new SluiceError(code, 'x'));
    expect(exit).not.toBe(0);
    expect(Object.values(exitCodes)).toContain(exit);
  });

  it.each([
    ['SLUICE_CONFIG_INVALID', 64],
    ['SLUICE_MODEL_MISSING', 66],
    ['SLUICE_PORT_TAKEN', 69],
    ['SLUICE_STALLED', 75],
    ['SLUICE_FENCED', 75],
  ] as const)('%s ends with %i', (code, exit) => {
    expect(exitCodeOf(new SluiceError(code, 'x'))).toBe(exit);
  });
});

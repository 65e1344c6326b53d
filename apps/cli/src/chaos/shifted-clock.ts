/**
 * Loaded before an app (`--import`): its wall clock is wrong by SLUICE_CLOCK_SHIFT_MS. Timers and `performance.now` go on as they are, as
 * on a machine whose clock was set wrong.
 */
const shift = Number(process.env['SLUICE_CLOCK_SHIFT_MS'] ?? 0);
const Real = Date;
if (shift !== 0)
  globalThis.Date = class extends Real {
    constructor(...args: [] | [number | string | Date]) {
      if (args.length === 0) super(Real.now() + shift);
      else super(...(args as [number]));
    }

    static override now(): number {
      return Real.now() + shift;
    }
  } as DateConstructor;

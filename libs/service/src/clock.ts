import type { Clock } from '@sluice/domain';

/** The clock of the machine. Only apps and this lib own one; everything else is handed a time or a `Clock`. */
export const systemClock: Clock = { now: () => Date.now() };

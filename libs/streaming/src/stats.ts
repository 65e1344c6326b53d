import type { PipeStats } from './port.ts';

export const newStats = (): PipeStats => ({
  records: 0,
  outputs: 0,
  deadLetters: 0,
  expired: 0,
  transactions: 0,
  aborts: 0,
  lastProgress: performance.now(),
  assigned: 0,
});

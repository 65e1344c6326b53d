import { cpus, totalmem } from 'node:os';

/** What a figure was measured on. */
export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGb: number;
}

export function machineOf(): Machine {
  return { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cpus: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30) };
}

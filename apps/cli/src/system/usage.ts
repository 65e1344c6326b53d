import { readFileSync } from 'node:fs';
import type { Usage } from './system.ts';

/** Clock ticks a second in /proc: fixed for every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Largest memory and total CPU time of a process so far; undefined where it has ended or the system has no /proc. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const rss = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return { rssMb: Math.round(Number(rss?.[1] ?? 0) / 1024), cpuSeconds: (Number(ticks[11]) + Number(ticks[12])) / ticksPerSecond };
  } catch {
    return undefined;
  }
}

/** Memory of a process at this moment, in MiB; 0 where it has ended or the system has no /proc. */
export function residentMb(pid: number): number {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

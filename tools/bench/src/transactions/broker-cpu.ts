import { readFileSync } from 'node:fs';

/** Of the kernel's clock ticks, which /proc counts in: 100 a second on Linux (USER_HZ). */
const msPerTick = 10;

/** Milliseconds of CPU that a process of this machine has used so far, user and system (fields 14 and 15 of /proc/PID/stat). */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

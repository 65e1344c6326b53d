import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

/** A process told apart from a later one that got the same number. */
export interface ProcessMark {
  readonly pid: number;
  /** Start time as the system tells it, with the boot it belongs to. */
  readonly started: string;
}

/** The mark of a process, or undefined when there is none with this number (a zombie counts as none). */
export function markOf(pid: number): ProcessMark | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedElsewhere(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether the very process of the mark still runs. */
export function isAlive(mark: ProcessMark): boolean {
  return markOf(mark.pid)?.started === mark.started;
}

function startedOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name, second field, may itself hold spaces and brackets: count from its last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${bootId()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function startedElsewhere(pid: number): string | undefined {
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const started = status === 0 ? stdout.trim() : '';
  return started === '' ? undefined : started;
}

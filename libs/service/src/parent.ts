/** What `watchParent` needs of the process; replaced in tests. */
export interface ParentHost {
  readonly env: NodeJS.ProcessEnv;
  readonly ppid: number;
  readonly connected?: boolean | undefined;
  kill(pid: number, signal: 0): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
  off(event: 'disconnect', listener: () => void): unknown;
}

/**
 * Calls `gone` once when the process that supervises this one is gone, so that a killed parent leaves no orphans: the
 * IPC channel closes, or the process named by SLUICE_PARENT_PID no longer exists.
 * @returns stops watching.
 */
export function watchParent(host: ParentHost, gone: (why: string) => void, everyMs = 1000): () => void {
  const stops: (() => void)[] = [];
  const once = (why: string) => {
    for (const stop of stops.splice(0)) stop();
    gone(why);
  };
  if (host.connected) {
    const listener = () => once('the IPC channel to the parent closed');
    host.once('disconnect', listener);
    stops.push(() => host.off('disconnect', listener));
  }
  const pid = supervisorPid(host.env);
  if (pid !== undefined) {
    // A direct parent is watched through ppid, which a reused process id cannot fool.
    const direct = host.ppid === pid;
    const timer = setInterval(() => {
      if (direct ? host.ppid !== pid : !exists(host, pid)) once(`the parent process ${pid} is gone`);
    }, everyMs);
    timer.unref();
    stops.push(() => clearInterval(timer));
  }
  return () => {
    for (const stop of stops.splice(0)) stop();
  };
}

/** The process that started this one as a part of a whole, by SLUICE_PARENT_PID. */
export function supervisorPid(env: NodeJS.ProcessEnv): number | undefined {
  const pid = Number(env['SLUICE_PARENT_PID']);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

function exists(host: ParentHost, pid: number): boolean {
  try {
    host.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

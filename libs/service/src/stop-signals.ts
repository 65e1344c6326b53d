/** What `onStopSignals` needs of the process; replaced in tests. */
export interface SignalHost {
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface StopHandlers {
  /** The first signal: finish what is under way. */
  readonly drain: (signal: StopSignal) => void;
  /** A later one: the person has lost patience. */
  readonly endNow: (signal: StopSignal) => void;
}

/**
 * One Ctrl-C reaches a process several times: from the terminal, which signals the whole group, and from npm and other
 * parents, which pass it on. Signals this close together are one.
 */
const samePressMs = 500;

/** @returns stops listening. */
export function onStopSignals(
  host: SignalHost,
  handlers: StopHandlers,
  listenTo: readonly StopSignal[] = ['SIGINT', 'SIGTERM'],
): () => void {
  let first: number | undefined;
  const listeners = listenTo.map((signal) => {
    const listener = () => {
      const now = performance.now();
      if (first === undefined) {
        first = now;
        handlers.drain(signal);
      } else if (now - first >= samePressMs) handlers.endNow(signal);
    };
    host.on(signal, listener);
    return () => host.off(signal, listener);
  });
  return () => {
    for (const stop of listeners) stop();
  };
}

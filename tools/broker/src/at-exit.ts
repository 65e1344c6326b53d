/** Something outside this process that must not outlive it. */
export interface Guarded {
  /** Ends it in good order. */
  close(): Promise<void>;
  /** Ends it at once, without waiting: the process is about to go. */
  abandon(): void;
}

const guarded = new Set<Guarded>();
const signals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/**
 * Ends `one` when this process ends, however it does (only SIGKILL leaves it to the next start). Returns the function
 * that lifts the guard. Whoever handles signals itself, to drain first, is not disturbed.
 */
export function guard(one: Guarded): () => void {
  if (guarded.size === 0) install();
  guarded.add(one);
  return () => {
    if (guarded.delete(one) && guarded.size === 0) uninstall();
  };
}

function install(): void {
  process.on('exit', abandonAll);
  for (const signal of Object.keys(signals)) process.on(signal, onSignal);
}

function uninstall(): void {
  process.off('exit', abandonAll);
  for (const signal of Object.keys(signals)) process.off(signal, onSignal);
}

function abandonAll(): void {
  for (const one of guarded) one.abandon();
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  const code = 128 + signals[signal as keyof typeof signals];
  void Promise.allSettled([...guarded].map((one) => one.close())).then(() => process.exit(code));
}

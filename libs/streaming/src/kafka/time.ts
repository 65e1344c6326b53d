/** Resolves after `ms`, or at once when the signal is given. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}

/** 50 ms, doubling, at most 2 s. */
export const backoff = (attempt: number): number => Math.min(2_000, 50 * 2 ** attempt);

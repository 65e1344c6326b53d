import { decodePrediction } from '@sluice/contracts';
import type { InRecord } from '@sluice/streaming';

interface Fault {
  readonly what: string;
  readonly at: number;
  /** Milliseconds until the first answer to a request that was published after the fault. */
  recoveredMs: number | undefined;
}

/** When answers came, held against when faults were injected. */
export class Recovery {
  readonly faults: Fault[] = [];
  /** Longest time without any answer, in milliseconds, up to the last answer. */
  longestSilenceMs = 0;
  /** Latencies in milliseconds of requests published before the first fault, and after it. */
  readonly latencies: { readonly calm: number[]; readonly troubled: number[] } = { calm: [], troubled: [] };
  #lastAnswer: number | undefined;

  fault(what: string, now: number): void {
    this.faults.push({ what, at: now, recoveredMs: undefined });
  }

  add(records: readonly InRecord[], now: number): void {
    for (const { topic, value } of records) {
      if (!topic.endsWith('.predictions') || value === null) continue;
      const { requestedAt } = decodePrediction(value);
      const calm = this.faults.length === 0 || requestedAt <= this.faults[0]!.at;
      this.latencies[calm ? 'calm' : 'troubled'].push(now - requestedAt);
      for (const fault of this.faults) if (fault.recoveredMs === undefined && requestedAt > fault.at) fault.recoveredMs = now - fault.at;
      if (this.#lastAnswer !== undefined) this.longestSilenceMs = Math.max(this.longestSilenceMs, now - this.#lastAnswer);
      this.#lastAnswer = now;
    }
  }

  /** Recovery times of the faults after which requests still came, sorted. */
  get times(): readonly number[] {
    return this.faults.flatMap(({ recoveredMs }) => (recoveredMs === undefined ? [] : [recoveredMs])).sort((a, b) => a - b);
  }
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from '../statistics.ts';
import type { Part } from './parts.ts';

/** Microseconds per call. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Keeps results alive, so that no call can be optimised away. */
let sink = 0;

/** Times each of `calls` calls over events 0 to `events`, round and round. */
export function timeOf(part: Part, calls: number, events: number): Quantiles {
  const times = new Float64Array(calls);
  for (let i = 0; i < calls; i++) {
    const start = performance.now();
    sink += part(i % events);
    times[i] = (performance.now() - start) * 1000;
  }
  times.sort();
  const at = (share: number): number => times[Math.floor(calls * share)]!;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

/** So few that what they allocate fits the young generation, and no collection falls between. */
const callsOfOneRun = 64;

/** Bytes that one call allocates, in the heap and outside: median of several short runs. */
export function bytesOf(part: Part): number {
  const runs = Array.from({ length: 7 }, () => grownBy(part) - grownBy(() => 1));
  return Math.max(0, median(runs) / callsOfOneRun);
}

function grownBy(part: Part): number {
  collectGarbage();
  const before = process.memoryUsage();
  for (let i = 0; i < callsOfOneRun; i++) sink += part(i);
  const after = process.memoryUsage();
  return after.heapUsed - before.heapUsed + after.external - before.external;
}

/** @throws Error when nothing was computed. */
export function checkSink(): void {
  if (!(sink > 0)) throw new Error('nothing was computed');
}

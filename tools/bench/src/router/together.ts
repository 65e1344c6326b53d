import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@sluice/streaming';
import type { Contest, Running } from './contest.ts';
import type { Job, Share } from './job.ts';

export interface Together {
  readonly contest: Contest;
  /** Without an end: it is over when its group has committed all of its input. */
  readonly job: Job;
  readonly processes: number;
  readonly bus: Bus;
}

/** The group must have come to rest by then: joining takes each member at most a few seconds. */
const gatheringMs = 12_000;

/** Several processes as one group over the same input: from the first record that any of them took to the last commit. */
export async function runTogether({ contest, job, processes, bus }: Together) {
  const started = { ...job, notBefore: Date.now() + gatheringMs };
  const running: Running[] = [];
  try {
    running.push(...(await Promise.all(Array.from({ length: processes }, () => contest.start(started)))));
    if (Date.now() > started.notBefore) throw new Error(`${processes} processes took more than ${gatheringMs} ms to start`);
    do await sleep(100);
    while ((await bus.lag(job.run, [job.input])) > 0);
    const shares = (await Promise.all(running.map((one) => one.finish()))).filter((share): share is Share => share !== undefined);
    const events = shares.reduce((sum, share) => sum + share.events, 0);
    const ms = Math.max(...shares.map(({ to }) => to)) - Math.min(...shares.map(({ from }) => from));
    return {
      perSecond: events / (ms / 1_000),
      cpuMicros: (shares.reduce((sum, share) => sum + share.cpuMs, 0) / events) * 1_000,
      maxRssMb: Math.max(...shares.map(({ maxRssMb }) => maxRssMb)),
    };
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}

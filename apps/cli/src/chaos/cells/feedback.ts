import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { fillDisk, smallDisk } from '../small-disk.ts';
import { troubledOutcomes } from '../troubled-outcomes.ts';
import type { Scene } from '../scene.ts';
import type { Cell } from './cell.ts';

const tenMinutes = 600_000;
/** By app, in milliseconds: who decides, who answers and who joins do not agree on the time. */
const shifts: Readonly<Record<string, number>> = {
  router: -tenMinutes,
  'inference-fast': tenMinutes,
  'inference-heavy': -tenMinutes,
  feedback: tenMinutes,
};

/** Faults of the join's state and of the times it joins by. */
export const feedbackCells: readonly Cell[] = [
  {
    name: 'lost-state',
    says: 'feedback is killed and its state folder removed',
    brokers: 1,
    withinSeconds: 10,
    joins: true,
    disturb: loseState,
  },
  {
    name: 'disk-full',
    says: 'no byte is left on the disk of the join state for five seconds',
    brokers: 1,
    withinSeconds: 10,
    joins: true,
    before: ({ runDir, events, defer }) => smallDisk(join(runDir, 'join'), events, defer),
    disturb: fillState,
    met: ({ restarts }) => restarts > 0,
  },
  {
    name: 'clock-skew',
    says: 'router and heavy tier ten minutes behind the producer, fast tier and feedback ten minutes ahead',
    brokers: 1,
    withinSeconds: 10,
    joins: true,
    env: (app) => ({
      SLUICE_CLOCK_SHIFT_MS: String(shifts[app] ?? 0),
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, '../shifted-clock.ts')).href}`,
    }),
  },
  {
    name: 'outcomes',
    says: 'outcomes twice, out of order, from an hour ago or ahead, and long after their window',
    brokers: 1,
    withinSeconds: 10,
    joins: true,
    flow: (flow) => ({ ...flow, feedback: { ...flow.feedback, windowMs: 4_000, graceMs: 500 } }),
    producer: troubledOutcomes,
    met: ({ refusals }) => (refusals['SLUICE_OUTCOME_UNMATCHED'] ?? 0) > 0,
  },
];

async function loseState({ fleet, runDir, at, fault }: Scene): Promise<void> {
  await at(0.4);
  fleet.signal('feedback', 'SIGKILL');
  await rm(join(runDir, 'join'), { recursive: true, force: true });
  fault('feedback killed, its state gone');
}

async function fillState({ runDir, at, fault }: Scene): Promise<void> {
  await at(0.4);
  const { how, free } = await fillDisk(join(runDir, 'join'));
  fault(how);
  await sleep(5_000);
  await free();
}

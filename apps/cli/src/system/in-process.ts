import { join } from 'node:path';
import { startFeedback } from '@sluice/feedback';
import { startInference } from '@sluice/inference';
import { startRouter } from '@sluice/router';
import { loadManifests, relativeCosts, systemClock } from '@sluice/service';
import type { Bus } from '@sluice/streaming';
import type { System, SystemSpec } from './system.ts';

/** The same apps in this one process: for the memory bus, and for tests. */
export async function startInProcess(spec: SystemSpec, bus: Bus): Promise<System> {
  const { flow, schemas } = spec.files;
  const shared = { bus, flow, schemas, clock: systemClock };
  const costs = relativeCosts(await loadManifests(flow, spec.models));
  const feedback = await startFeedback({ bus, flow, schemas, costs, stateDir: join(spec.runDir, 'join') });
  const inference = await startInference({
    ...shared,
    models: spec.models,
    tiers: flow.tiers,
    instance: 'in-process',
    drills: spec.drills,
  });
  const router = await startRouter({ ...shared, costs });
  const pipes = [router.pipe, ...inference.workers.map(({ pipe }) => pipe), ...feedback.pipes];
  return {
    failed: Promise.race(pipes.map(({ done }) => done.then(() => new Promise<never>(() => undefined)))),
    usage: () => ({ 'one process': { rssMb: Math.round(process.memoryUsage().rss / 2 ** 20), cpuSeconds: process.cpuUsage().user / 1e6 } }),
    backends: () =>
      Object.fromEntries(inference.workers.map(({ tier, server }) => [tier.name, `${server.backend.name}: ${server.backend.why}`])),
    async close() {
      await router.close();
      await inference.close();
      await feedback.close();
    },
  };
}

import { join } from 'node:path';
import { startFeedback, type Feedback } from '@sluice/feedback';
import { startInference, type Inference } from '@sluice/inference';
import { startRouter, type Router } from '@sluice/router';
import { loadManifests, relativeCosts, systemClock } from '@sluice/service';
import type { Bus } from '@sluice/streaming';
import type { System, SystemSpec } from './system.ts';

/** A system whose parts can be looked at. */
export interface InProcessSystem extends System {
  readonly router: Router;
  readonly inference: Inference;
  readonly feedback: Feedback;
}

/** The same apps in this one process: for the memory bus, and for tests. */
export async function startInProcess(spec: SystemSpec, bus: Bus): Promise<InProcessSystem> {
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
    ...(spec.onVersion && { onVersion: spec.onVersion }),
  });
  const router = await startRouter({ ...shared, costs });
  const pipes = [router.pipe, ...inference.workers.map(({ pipe }) => pipe), ...feedback.pipes];
  return {
    router,
    inference,
    feedback,
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

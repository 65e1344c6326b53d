import { join } from 'node:path';
import { startFeedback, type Feedback } from '@sluice/feedback';
import { startInference, type Inference } from '@sluice/inference';
import { startRouter, type Router } from '@sluice/router';
import type { Clock } from '@sluice/domain';
import type { PolicyGuardOptions } from '@sluice/routing';
import { loadManifests, relativeCosts, systemClock } from '@sluice/service';
import type { Bus } from '@sluice/streaming';
import type { System, SystemSpec } from './system.ts';

/** A system whose parts can be looked at. */
export interface InProcessSystem extends System {
  readonly router: Router;
  readonly inference: Inference;
  readonly feedback: Feedback;
}

export interface InProcessOptions {
  /** Left out: the system's. */
  readonly clock?: Clock;
  /** Takes what the apps would log; left out: nobody. */
  readonly warn?: PolicyGuardOptions['warn'] | undefined;
}

/** The same apps in this one process: for the memory bus, and for tests. */
export async function startInProcess(spec: SystemSpec & InProcessOptions, bus: Bus): Promise<InProcessSystem> {
  const { flow, schemas } = spec.files;
  const shared = { bus, flow, schemas, clock: spec.clock ?? systemClock, warn: spec.warn };
  const manifests = await loadManifests(flow, spec.models);
  const costs = relativeCosts(flow, manifests);
  const feedback = await startFeedback({ bus, flow, schemas, costs, stateDir: join(spec.runDir, 'join') });
  const inference = await startInference({
    ...shared,
    models: spec.models,
    tiers: flow.tiers,
    instance: 'in-process',
    drills: spec.drills,
    ...(spec.onVersion && { onVersion: spec.onVersion }),
  });
  const router = await startRouter({ ...shared, costs, envelopes: manifests.map(({ envelope }) => envelope) });
  const pipes = [router.pipe, ...(router.retries ? [router.retries] : []), ...inference.workers.map(({ pipe }) => pipe), ...feedback.pipes];
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

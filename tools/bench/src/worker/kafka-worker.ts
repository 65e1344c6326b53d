import { RequestSchemas, topicsOf } from '@sluice/contracts';
import { WorkerProcessor, type WorkerParts } from '@sluice/inference';
import { initialPolicy, signatureShape } from '@sluice/routing';
import { Tally } from '@sluice/service';
import { openServer } from '@sluice/serving';
import { kafkaBus } from '@sluice/streaming';
import type { Job, Meter } from '../router/job.ts';
import { Metered } from '../router/metered.ts';
import { flowOf, imageSchema } from './kafka-workload.ts';

/** Our pipe with the worker's own processor: tag, inference, stop rule, prediction, in transactions. */
export async function startWorker(job: Job, meter: Meter) {
  const flow = flowOf(job.run);
  const tier = flow.tiers.at(-1)!;
  const server = await openServer({ dir: job.model!, schemas: [imageSchema], tier: tier.name });
  const policy = initialPolicy(flow);
  const parts: WorkerParts = {
    ...{ flow, tier, server, clock: { now: () => Date.now() }, answered: new Tally<'fate'>() },
    signatureWidth: signatureShape(flow, [imageSchema]).width,
    schemas: new RequestSchemas([imageSchema], {}),
    policy: () => policy,
  };
  const bus = kafkaBus({ brokers: job.brokers.split(','), clientId: job.run });
  await bus.openPipe({
    ...{ group: job.run, topics: [job.input], delivery: 'exactly-once', maxSlice: job.slice, lingerMs: 5 },
    deadLetters: topicsOf(flow.flow).deadLetters,
    processor: () => new Metered(new WorkerProcessor(parts), meter),
  });
  return {
    async stop() {
      await bus.close();
      await server.close();
    },
  };
}

import { RequestSchemas, topicsOf } from '@sluice/contracts';
import { RouterProcessor, type RouterParts } from '@sluice/router';
import { compileRules, compileSignature } from '@sluice/routing';
import { Tally } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import type { Job, Meter } from './job.ts';
import { Metered } from './metered.ts';
import { costs, flowOf, policyOf, schema } from './workload.ts';

/** Our pipe with the router's own processor: decode, signature, decision, tag. */
export async function startPipe(job: Job, meter: Meter, delivery: 'exactly-once' | 'at-least-once' = 'exactly-once') {
  const flow = flowOf(job.run);
  const policy = policyOf(flow);
  const idle = { queuePrices: costs.map(() => 0), waits: costs.map(() => 0), bars: costs.map(() => '') };
  const parts: RouterParts = {
    flow,
    schemas: new RequestSchemas([schema], {}),
    signature: compileSignature(flow, [schema]),
    rules: compileRules(flow, [schema]),
    costs,
    lead: { inForce: () => policy, committed: () => undefined },
    tiers: () => idle,
    clock: { now: () => Date.now() },
    routed: new Tally(),
  };
  const bus = kafkaBus({ brokers: job.brokers.split(','), clientId: job.run });
  await bus.openPipe({
    group: job.run,
    topics: [job.input],
    delivery,
    maxSlice: job.slice,
    lingerMs: 5,
    deadLetters: topicsOf(flow.flow).deadLetters,
    ...(job.notBefore !== undefined && { holding: { until: () => job.notBefore!, clock: parts.clock } }),
    processor: () => new Metered(new RouterProcessor(parts), meter),
  });
  return { stop: () => bus.close() };
}

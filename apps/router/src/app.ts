import { policyTopic, RequestSchemas } from '@sluice/contracts';
import type { Clock, Flow } from '@sluice/domain';
import { compileRules, compileSignature, Lead, PolicyGuard, type Envelopes, type PolicyGuardOptions } from '@sluice/routing';
import { Tally } from '@sluice/service';
import type { Bus, Pipe } from '@sluice/streaming';
import { RouterProcessor, type RoutedLabel, type RouterParts } from './processor.ts';
import { openRetries } from './retries.ts';
import { TierFlags } from './tier-flags.ts';
import { TierLoads } from './tier-loads.ts';
import { routerTopology } from './topology.ts';

export interface RouterOptions {
  readonly bus: Bus;
  readonly flow: Flow;
  readonly schemas: readonly object[];
  readonly costs: readonly number[];
  /** What each tier's model was validated for; none: everything. */
  readonly envelopes?: Envelopes;
  readonly clock: Clock;
  readonly maxSlice?: number;
  readonly lingerMs?: number;
  /** Takes what is said of the policy topic; left out: nobody. */
  readonly warn?: PolicyGuardOptions['warn'] | undefined;
}

export interface Router {
  readonly pipe: Pipe;
  /** Of a flow that puts records aside. */
  readonly retries: Pipe | undefined;
  readonly policy: PolicyGuard;
  readonly lead: Lead;
  /** What became of the requests of committed slices. */
  readonly routed: Tally<RoutedLabel>;
  close(): Promise<void>;
}

/** Wires the router of one flow: its tables read to their ends first, then the pipe. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const { bus, flow, schemas, costs, clock } = options;
  const topology = routerTopology(flow);
  const signature = compileSignature(flow, schemas, options.envelopes);
  const policy = new PolicyGuard({ flow, signatureWidth: signature.width, warn: options.warn });
  const [policies, loads, flags] = await Promise.all([
    bus.openTable({
      topic: policyTopic,
      decode: (value, _key, at) => ({ value, at }),
      onChange: (key, record) => policy.hear(key, record, clock.now()),
    }),
    TierLoads.open(bus, flow, clock),
    TierFlags.open(bus, flow),
  ]);
  const lead = new Lead(flow, policy);
  const routed = new Tally<RoutedLabel>();
  const parts = {
    ...{ flow, signature, costs, lead, clock, routed },
    schemas: new RequestSchemas(schemas, flow.request.confluentIds),
    rules: compileRules(flow, schemas),
    tiers: () => ({ ...loads.state(), bars: flags.bars() }),
  };
  const pipe = await bus.openPipe({
    group: topology.group,
    topics: topology.in,
    delivery: flow.delivery,
    maxSlice: options.maxSlice ?? 500,
    lingerMs: options.lingerMs ?? 5,
    replay: flow.request.dedupWindow,
    deadLetters: topology.deadLetters,
    holding: { until: (request) => lead.waitsUntil(request, clock.now()), clock },
    processor: ({ partition }) => seat(parts, lead, partition),
  });
  const retries = await openRetries(options);
  return {
    pipe,
    retries,
    policy,
    lead,
    routed,
    async close() {
      await Promise.all([pipe.close(), retries?.close()]);
      await Promise.all([policies.close(), loads.close(), flags.close()]);
    },
  };
}

function seat(parts: RouterParts, lead: Lead, partition: number): RouterProcessor {
  lead.takeOver(partition);
  return new RouterProcessor(parts);
}

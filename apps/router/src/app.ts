import { decodePolicy, policyTopic, RequestSchemas } from '@sluice/contracts';
import type { Clock, Flow, PolicySnapshot } from '@sluice/domain';
import { compileRules, compileSignature, initialPolicy, type Envelopes } from '@sluice/routing';
import { Tally } from '@sluice/service';
import type { Bus, Pipe, Table } from '@sluice/streaming';
import { RouterProcessor, type RoutedLabel } from './processor.ts';
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
}

export interface Router {
  readonly pipe: Pipe;
  readonly policies: Table<PolicySnapshot>;
  /** What became of the requests of committed slices. */
  readonly routed: Tally<RoutedLabel>;
  close(): Promise<void>;
}

/** Wires the router of one flow: policy table read to its end first, then the pipe. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const { bus, flow, schemas, costs, clock } = options;
  const topology = routerTopology(flow);
  const signature = compileSignature(flow, schemas, options.envelopes);
  const first = initialPolicy(flow);
  const policies = await bus.openTable({ topic: policyTopic, decode: decodePolicy });
  const loads = await TierLoads.open(bus, flow, clock);
  const routed = new Tally<RoutedLabel>();
  const parts = {
    flow,
    schemas: new RequestSchemas(schemas, flow.request.confluentIds),
    signature,
    rules: compileRules(flow, schemas),
    costs,
    policy: () => policies.get(flow.flow) ?? first,
    queuePrices: () => loads.prices(),
    clock,
    routed,
  };
  const pipe = await bus.openPipe({
    group: topology.group,
    topics: topology.in,
    delivery: flow.delivery,
    maxSlice: options.maxSlice ?? 500,
    lingerMs: options.lingerMs ?? 5,
    replay: flow.request.dedupWindow,
    deadLetters: topology.deadLetters,
    processor: () => new RouterProcessor(parts),
  });
  return {
    pipe,
    policies,
    routed,
    async close() {
      await pipe.close();
      await Promise.all([policies.close(), loads.close()]);
    },
  };
}

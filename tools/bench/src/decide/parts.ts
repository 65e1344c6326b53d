import { encodeTag } from '@sluice/contracts';
import type { Answer, PolicySnapshot, SparseRow, Tag } from '@sluice/domain';
import { afterAnswer, compileRules, compileSignature, route, type RouteDecision, type SignatureReading } from '@sluice/routing';
import { now, type Workload } from './workload.ts';

/** One part of the work on event `i`; gives a number, so that nothing can be left out as unused. */
export type Part = (i: number) => number;

export const partNames = ['empty', 'signature', 'rules', 'decision', 'tag', 'stop', 'panel', 'signature + decision', 'all'] as const;
export type PartName = (typeof partNames)[number];

/** What each part does, for the foot of the table. */
export const partNotes: Readonly<Record<PartName, string>> = {
  empty: 'the timer alone',
  signature: 'Avro bytes to the row of features',
  rules: 'one declared rule over headers and facts',
  decision: 'pre-route, audit draw and slip, rules left out',
  tag: 'the tag as Avro bytes for the header',
  stop: "a worker's verdict on an answer",
  panel: 'the same by a policy with a panel of the tiers that answered',
  'signature + decision': 'signature, rules and decision of one event',
  all: 'signature, rules, decision and tag of one event, as the router does it',
};

/** The parts as the router and a worker call them. */
export function partsOf(workload: Workload): Readonly<Record<PartName, Part>> {
  const { flow, schema, policy, panels, costs, values } = workload;
  const signature = compileSignature(flow, [schema]);
  const rules = compileRules(flow, [schema]);
  const queuePrices = costs.map((_, i) => (i === 1 ? 0.01 : 0));
  const headers = {};
  const answer: Answer = { tier: flow.tiers[0]!.name, model: 'm', version: '1.0.0', label: 1, confidence: 0.8, margin: 0.6, entropy: 0.5 };
  const requests = values.map((value, i) => ({
    ...{ id: `bench.requests/0/${i}`, offset: i, value, schema: 0, start: 10, headers },
    ...{ now, requestedAt: now - 20, deadlineAt: now + 30_000 },
  }));
  const read = (i: number): SignatureReading => signature.read(requests[i]!);
  const decide = (i: number, row: SignatureReading['row']): RouteDecision =>
    route({ id: requests[i]!.id, flow, policy, costs, queuePrices, signature: row, signatureWidth: signature.width, now });
  const decideByRules = (i: number): { readonly reading: SignatureReading; readonly decision: RouteDecision } => {
    const reading = read(i);
    const rule = rules.first(requests[i]!, reading);
    const { id } = requests[i]!;
    const { row, segment } = reading;
    const input = { id, flow, policy, costs, queuePrices, signature: row, signatureWidth: signature.width, segment, rule, now };
    return { reading, decision: route(input) };
  };
  const readings = values.map((_, i) => structuredClone(read(i)));
  const tags = readings.map(({ row }, i) => tagOf(workload, requests[i]!, { row, decision: decide(i, row) }));
  const answered = tags.map((tag) => ({ ...tag, slip: { ...tag.slip, position: 0 } }));
  const withPanels = { ...policy, panels };
  const judge = (i: number, by: PolicySnapshot): number =>
    afterAnswer({ flow, signatureWidth: signature.width, tag: answered[i]!, policy: by, answer, now }).position + 1;
  return {
    empty: (i) => i,
    signature: (i) => read(i).row.indices.length,
    rules: (i) => (rules.first(requests[i]!, readings[i]!) === undefined ? 1 : 2),
    decision: (i) => decide(i, readings[i]!.row).position + 1,
    tag: (i) => encodeTag(tags[i]!).length,
    stop: (i) => judge(i, policy),
    panel: (i) => judge(i, withPanels),
    'signature + decision': (i) => decideByRules(i).decision.position + 1,
    all: (i) => {
      const { reading, decision } = decideByRules(i);
      return encodeTag(tagOf(workload, requests[i]!, { row: reading.row, decision })).length;
    },
  };
}

interface Decided {
  readonly row: SparseRow;
  readonly decision: RouteDecision;
}

function tagOf({ flow, policy }: Workload, { id, offset }: { id: string; offset: number }, { row, decision }: Decided): Tag {
  return {
    id,
    flow: flow.flow,
    source: { topic: 'bench.requests', partition: 0, offset },
    requestedAt: now - 20,
    routedAt: now,
    deadlineAt: now + 30_000,
    policyVersion: policy.version,
    schema: 0,
    shadow: false,
    propensity: decision.propensity,
    slip: decision.slip,
    signature: row,
    trail: [decision.step],
    answers: [],
  };
}

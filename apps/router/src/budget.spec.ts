import { decodeTag, encodeSingleObject, header, headerBytes, RequestSchemas } from '@sluice/contracts';
import { parseFlow, type PolicySnapshot, type Tag } from '@sluice/domain';
import { compileRules, compileSignature, initialPolicy } from '@sluice/routing';
import { Tally } from '@sluice/service';
import type { InRecord } from '@sluice/streaming';
import { RouterProcessor } from './processor.ts';

const schema = { type: 'record', name: 'Mail', fields: [{ name: 'links', type: 'int' }] };
const flow = parseFlow({
  flow: 'mail',
  description: 'A flow whose budget comes first.',
  request: { schemas: ['mail.avsc'], partitions: 2 },
  labels: ['ham', 'spam'],
  signature: [{ field: 'links', kind: 'number', min: 0, max: 10 }],
  tiers: ['fast', 'heavy'].map((name) => ({ name, model: `mail-${name}` })),
  target: { budget: { perEvent: 0.5, window: 100 }, primary: 'budget' },
});

function routerUnder(policies: readonly Partial<PolicySnapshot>[]) {
  let turn = 0;
  const quiet = { queuePrices: [0, 0], waits: [0, 0], bars: ['', ''] };
  return new RouterProcessor({
    ...{ flow, schemas: new RequestSchemas([schema]), signature: compileSignature(flow, [schema]), rules: compileRules(flow, [schema]) },
    costs: [0.1, 1],
    lead: {
      inForce: () => ({ ...initialPolicy(flow), heavyOnly: false, reason: 'controlled', auditRate: 0.04, ...policies[turn++] }),
      committed: () => undefined,
    },
    ...{ tiers: () => quiet, clock: { now: () => 1000 }, routed: new Tally() },
  });
}

const records = (count: number, from = 0): InRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ topic: 'mail.requests', partition: 0, offset: from + i, timestamp: 1000, key: null },
    ...{ value: encodeSingleObject(schema, { links: i % 10 }), headers: {} },
  }));

async function budgetsOf(router: RouterProcessor, slice: readonly InRecord[]): Promise<(number | null)[]> {
  const out = await router.process(slice);
  return out.map(({ headers }) => (decodeTag(headerBytes(headers!, header.tag)!) as Tag).slip.budget);
}

describe('a router whose flow has a budget that comes first', () => {
  it('reserves from its share of what predictions left, and then grants only what remains', async () => {
    // Half of 8 less the floor of 100 events, 100 x (0.1 + 0.02 x 1) / 2: 4 - 6 < 0 leaves nothing; 40 leaves 14 = 14 events in full.
    const router = routerUnder([
      { version: 1, budgetLeft: { left: 40, events: 100 } },
      { version: 2, budgetLeft: { left: 8, events: 100 } },
    ]);
    const first = await budgetsOf(router, records(30));
    expect(first.slice(0, 14)).toEqual(first.slice(0, 14).fill(null));
    expect(first.at(-1)).toBeLessThan(0.2);
    expect(await budgetsOf(router, records(5, 30))).toEqual([0.1, 0.1, 0.1, 0.1, 0.1]);
  });

  it('takes back what an aborted slice reserved', async () => {
    const policy = { version: 1, budgetLeft: { left: 40, events: 100 } };
    const router = routerUnder([policy, policy]);
    const first = await budgetsOf(router, records(10));
    router.aborted();
    expect(await budgetsOf(router, records(10))).toEqual(first);
  });

  it('asks for no budget while heavy alone may serve, nor before predictions were counted', async () => {
    const router = routerUnder([{ budgetLeft: null }, { version: 1, heavyOnly: true, budgetLeft: { left: -1, events: 50 } }]);
    expect(await budgetsOf(router, records(2))).toEqual([null, null]);
    expect(await budgetsOf(router, records(2, 2))).toEqual([null, null]);
  });
});

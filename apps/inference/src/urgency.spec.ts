import { encodeSingleObject, encodeTag, header, RequestSchemas, topicsOf } from '@sluice/contracts';
import { parseFlow, SluiceError, type Tag } from '@sluice/domain';
import { initialPolicy } from '@sluice/routing';
import { Tally } from '@sluice/service';
import type { Urgency } from '@sluice/serving';
import { WorkerProcessor, type WorkerParts } from './processor.ts';

const schema = { type: 'record', name: 'Number', fields: [{ name: 'x', type: 'float' }] };
const tiers = [
  { name: 'light', model: 'a' },
  { name: 'heavy', model: 'b' },
];
const flow = parseFlow({
  flow: 'toy',
  description: 'One number.',
  request: { schemas: ['number.avsc'], partitions: 1 },
  labels: ['no', 'yes'],
  signature: [{ field: 'x', kind: 'number', min: 0, max: 1 }],
  tiers,
  target: {},
});

function tag(id: number, { deadlineAt = 5000, shadow = false }: { deadlineAt?: number; shadow?: boolean }): Tag {
  const place = { tier: 'light', model: 'a', cost: 1, queuePrice: 0, wait: 0, bar: '' };
  return {
    ...{ id: `e${id}`, flow: 'toy', source: { topic: topicsOf('toy').requests, partition: 0, offset: id }, requestedAt: 1, routedAt: 2 },
    ...{ deadlineAt, policyVersion: 0, schema: 0, shadow, propensity: 1 },
    slip: { position: 0, segment: '', threshold: 1, heavyOnly: false, auditRate: 0, auditDraw: 1, budget: null, tiers: [place] },
    signature: { indices: new Uint16Array(0), values: new Float32Array(0) },
    ...{ trail: [], answers: [] },
  };
}

/** What the model server hears of a slice of such records at 1000. */
async function urgencyOf(records: readonly { deadlineAt?: number; shadow?: boolean; priority?: string }[]): Promise<Urgency | undefined> {
  let heard: Urgency | undefined;
  const parts: WorkerParts = {
    ...{ flow, signatureWidth: 1, tier: flow.tiers[0]!, schemas: new RequestSchemas([schema], {}), clock: { now: () => 1000 } },
    policy: () => initialPolicy(flow),
    answered: new Tally<'fate'>(),
    server: {
      infer: (_, urgency) => {
        heard = urgency;
        return Promise.reject(new SluiceError('SLUICE_CLOSED', 'heard enough'));
      },
    },
  };
  const slice = records.map(({ priority, ...of }, offset) => ({
    ...{ topic: 'toy.model.a', partition: 0, offset, timestamp: 1, key: null, value: encodeSingleObject(schema, { x: 1 }) },
    headers: { [header.tag]: encodeTag(tag(offset, of)), ...(priority !== undefined && { [header.priority]: Buffer.from(priority) }) },
  }));
  await expect(new WorkerProcessor(parts).process(slice)).rejects.toMatchObject({ code: 'SLUICE_CLOSED' });
  return heard;
}

describe('a slice presses', () => {
  it('with its first deadline and its highest priority', async () => {
    expect(await urgencyOf([{ priority: '2' }, { deadlineAt: 1500 }, { priority: '7', deadlineAt: 9000 }])).toEqual({
      timeLeft: 500,
      priority: 7,
    });
  });

  it('for nothing more where no priority is declared, or one that is none', async () => {
    expect(await urgencyOf([{}, { priority: 'high' }, { priority: '99' }])).toEqual({ timeLeft: 4000, priority: 0 });
  });

  it('not for answers that nobody waits for', async () => {
    expect(await urgencyOf([{ shadow: true, deadlineAt: 1001, priority: '9' }, {}])).toEqual({ timeLeft: 4000, priority: 0 });
    expect(await urgencyOf([{ shadow: true, deadlineAt: 1001, priority: '9' }])).toEqual({});
  });
});

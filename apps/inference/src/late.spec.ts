import { decodePrediction, encodeSingleObject, encodeTag, header, readDeadLetter, RequestSchemas } from '@sluice/contracts';
import { parseFlow, type Answer, type Flow, type Tag } from '@sluice/domain';
import { initialPolicy } from '@sluice/routing';
import { Tally } from '@sluice/service';
import type { InRecord } from '@sluice/streaming';
import { WorkerProcessor } from './processor.ts';

const schema = { type: 'record', name: 'Mail', fields: [{ name: 'links', type: 'int' }] };
const answerOf = (tier: string): Answer => ({
  ...{ tier, model: `mail-${tier}`, version: '1.0.0', label: 1, confidence: 0.9, margin: 0.8, entropy: 0.3 },
});

/** What becomes of records that the heavy tier takes up at 2,000, of which one was due at 1,999 and one is due at 2,000. */
async function takenUp(overload: Flow['overload'], tag: Partial<Tag> = {}) {
  const flow = parseFlow({
    flow: 'mail',
    description: 'A flow for tests.',
    request: { schemas: ['mail.avsc'] },
    labels: ['ham', 'spam'],
    signature: [{ field: 'links', kind: 'number', min: 0, max: 10 }],
    tiers: ['fast', 'heavy'].map((name) => ({ name, model: `mail-${name}` })),
    target: {},
    overload,
  });
  let asked = 0;
  const infer = async (values: readonly unknown[]) => ((asked += values.length), values.map(() => answerOf('heavy')));
  const worker = new WorkerProcessor({
    ...{ flow, tier: flow.tiers[1]!, signatureWidth: 0, server: { infer }, schemas: new RequestSchemas([schema]) },
    ...{ policy: () => initialPolicy(flow), clock: { now: () => 2_000 }, answered: new Tally() },
  });
  const place = { cost: 1, queuePrice: 0, wait: 0, bar: '' };
  const recordOf = (deadlineAt: number, offset: number): InRecord => ({
    ...{ topic: 'mail.model.mail-heavy', partition: 0, offset, timestamp: 0, key: null, value: encodeSingleObject(schema, { links: 1 }) },
    headers: {
      [header.tag]: encodeTag({
        ...{ id: `e${offset}`, flow: 'mail', source: { topic: 'mail.requests', partition: 0, offset }, requestedAt: 1, routedAt: 2 },
        ...{ deadlineAt, policyVersion: 0, schema: 0, shadow: false, propensity: 1, trail: [], answers: [], ...tag },
        slip: {
          ...{ segment: '', position: 1, threshold: 1, heavyOnly: false, auditRate: 0, auditDraw: 1, budget: null },
          tiers: flow.tiers.map(({ name, model }) => ({ ...place, tier: name, model })),
        },
        signature: { indices: new Uint16Array(0), values: new Float32Array(0) },
      }),
    },
  });
  const out = await worker.process([recordOf(1_999, 0), recordOf(2_000, 1)]);
  return { out, asked, topics: out.map(({ topic }) => topic) };
}

describe('a record that a worker takes up after its deadline', () => {
  it('is answered all the same where the flow declares nothing, and where it runs unseen', async () => {
    expect(await takenUp([])).toMatchObject({ asked: 2, topics: ['mail.predictions', 'mail.predictions'] });
    expect(await takenUp(['shed'], { shadow: true })).toMatchObject({ asked: 2, topics: ['mail.shadow', 'mail.shadow'] });
  });

  it('takes none of the time of the model where the flow sheds', async () => {
    const { out, asked, topics } = await takenUp(['shed']);
    expect({ asked, topics }).toEqual({ asked: 1, topics: ['mail.dead-letters', 'mail.predictions'] });
    expect(readDeadLetter({ headers: out[0]!.headers! })).toMatchObject({ code: 'SLUICE_OVERLOADED', class: 'drop', stage: 'mail-heavy' });
  });

  it('gets what a lighter tier has answered where the flow lightens', async () => {
    const { out, asked } = await takenUp(['lighten', 'shed'], { answers: [answerOf('fast')] });
    expect(asked).toBe(1);
    expect(decodePrediction(out[0]!.value!)).toMatchObject({ tier: 'fast', trail: [{ kind: 'fallback', reason: 'late:served=fast' }] });
    expect((await takenUp(['lighten'])).asked).toBe(2);
  });
});

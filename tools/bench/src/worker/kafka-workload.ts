import { encodeSingleObject, encodeTag, header, topicsOf } from '@sluice/contracts';
import { parseFlow, type Flow, type Tag } from '@sluice/domain';
import type { TestModel } from '@sluice/serving/testing';

const tier = 'heavy';

/** That of the model's tests, here once more so that the worker's process need not load what makes models. */
export const imageSchema = { type: 'record', name: 'Image', fields: [{ name: 'pixels', type: 'bytes' }] };

/** The flow of one run, whose name is part of its topics. The model is its last tier: every answer of it is final. */
export function flowOf(name: string): Flow {
  return parseFlow({
    flow: name,
    description: 'Images of 28 by 28 for the feed-forward network of Crayfish.',
    request: { schemas: ['image.avsc'], deadlineMs: 86_400_000 },
    labels: Array.from({ length: 10 }, (_, i) => `label ${i}`),
    signature: [{ field: 'pixels', kind: 'bytes', length: 784, divide: 255, pool: 784 }],
    tiers: ['light', tier].map((each) => ({ name: each, model: each })),
    target: {},
  });
}

/** `count` requests as a router would have put them on the topic of the model: the image untouched, the decision in a header. */
export function requests(model: TestModel, count: number) {
  const { requests: source } = topicsOf('bench');
  return Array.from({ length: count }, (_, i) => ({
    value: encodeSingleObject(imageSchema as never, { pixels: Buffer.from(model.row(i).map((value) => Math.round(value * 255))) }),
    headers: { [header.tag]: encodeTag(tagOf(i, source)), [header.origin]: `${source}/0/${i}` },
  }));
}

function tagOf(i: number, topic: string): Tag {
  const place = { cost: 1, queuePrice: 0, wait: 0, bar: '' };
  return {
    ...{ id: `event-${i}`, flow: 'bench', source: { topic, partition: 0, offset: i }, requestedAt: Date.now(), routedAt: Date.now() },
    ...{ deadlineAt: Date.now() + 86_400_000, policyVersion: 0, schema: 0, shadow: false, propensity: 1 },
    slip: {
      ...{ position: 0, threshold: 1, heavyOnly: true, auditRate: 0, auditDraw: 1, budget: null, segment: '' },
      tiers: [{ ...place, tier, model: tier }],
    },
    signature: { indices: Uint16Array.of(0), values: Float32Array.of(0.5) },
    ...{ trail: [], answers: [] },
  };
}

import { parseFlow } from '@sluice/domain';
import fc from 'fast-check';
import { topicSpecs } from './topic-specs.ts';
import { catalogTopic, flagsTopic, healthTopic, parseTopic, policyTopic, topicKinds, topicsOf } from './topics.ts';

const segments = fc.stringMatching(/^[a-z][a-z0-9-]{0,47}$/);

describe('topic names', () => {
  it('every name of a flow is read back as what it was built from', () => {
    fc.assert(
      fc.property(segments, segments, (flow, model) => {
        const topics = topicsOf(flow);
        const { model: modelTopic, retry, ...plain } = topics;
        const read = Object.values(plain).map((name) => parseTopic(name));
        expect(read.map((topic) => topic?.flow)).toEqual(read.map(() => flow));
        expect(new Set(read.map((topic) => topic?.kind)).add('model').add('retry')).toEqual(new Set(topicKinds));
        expect(parseTopic(modelTopic(model))).toEqual({ flow, kind: 'model', model });
        expect(parseTopic(retry('10m'))).toEqual({ flow, kind: 'retry', delay: '10m' });
      }),
    );
  });

  it.each([
    policyTopic,
    healthTopic,
    catalogTopic,
    flagsTopic,
    'mail',
    'mail.requests.x',
    'mail.model',
    'mail.model.a.b',
    'mail.retry',
    'mail.retry.soon',
    'Mail.requests',
    '.requests',
    'mail.',
    '',
  ])('takes %j for none of a flow', (name) => {
    expect(parseTopic(name)).toBeUndefined();
  });
});

describe('the topics of a flow', () => {
  const flow = parseFlow({
    flow: 'mail',
    description: 'd',
    request: { schemas: ['a.avsc'], partitions: 3, maxBytes: 1000 },
    labels: ['ham', 'spam'],
    target: {},
    signature: [{ field: 'size', kind: 'number', min: 0, max: 1 }],
    tiers: [
      { name: 'fast', model: 'mail-fast' },
      { name: 'heavy', model: 'mail-heavy' },
    ],
  });
  const specs = new Map(topicSpecs(flow).map((spec) => [spec.name, spec]));

  it('are declared, each once', () => {
    const { model, retry, ...plain } = topicsOf('mail');
    expect(retry('5s')).toBe('mail.retry.5s');
    const expected = [...Object.values(plain), model('mail-fast'), model('mail-heavy'), policyTopic, healthTopic, catalogTopic, flagsTopic];
    expect([...specs.keys()].sort()).toEqual(expected.sort());
    expect(topicSpecs(flow)).toHaveLength(specs.size);
  });

  it('have those for records that wait only where the flow retries', () => {
    const names = topicSpecs(parseFlow({ ...flow, fallback: ['retry'] })).map(({ name }) => name);
    expect(names.filter((name) => !specs.has(name))).toEqual(['mail.retry.5s', 'mail.retry.1m', 'mail.retry.10m']);
  });

  it('keep the partition of a request on its whole way, and room for the tag beside the largest request', () => {
    const { requests, predictions, shadow, model } = topicsOf('mail');
    for (const name of [requests, predictions, shadow, model('mail-fast')]) expect(specs.get(name)!.partitions).toBe(3);
    expect(specs.get(model('mail-fast'))!.maxMessageBytes).toBeGreaterThanOrEqual(1_048_588);
    expect(specs.get(topicsOf('mail').examples)!.partitions).toBe(1);
  });
});

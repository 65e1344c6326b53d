import { decodePrediction, encodeSingleObject, header, headerText, RequestSchemas, topicsOf, topicSpecs } from '@sluice/contracts';
import { parseFlow, SluiceError, type Clock, type Prediction } from '@sluice/domain';
import { inferenceTopology, WorkerProcessor } from '@sluice/inference';
import { startRouter } from '@sluice/router';
import { initialPolicy } from '@sluice/routing';
import { Tally } from '@sluice/service';
import type { Bus } from '@sluice/streaming';

const schema = { type: 'record', name: 'Mail', fields: [{ name: 'links', type: 'int' }] };

export interface RetryRunOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Name of the flow. */
  readonly name: string;
  readonly delaysMs: readonly number[];
  /** Whether the model of the one tier that serves is lost on an event of this number, asked the n-th time. */
  readonly isLost: (links: number, n: number) => boolean;
}

/** Router, retry pipe and worker of a flow that tries again, with a model that is lost as often as told. */
export async function retryRun({ bus, clock, name, delaysMs, isLost }: RetryRunOptions) {
  const flow = parseFlow({
    flow: name,
    description: 'A flow whose only serving tier is tried again.',
    request: { schemas: ['mail.avsc'], partitions: 2 },
    labels: ['ham', 'spam'],
    signature: [{ field: 'links', kind: 'number', min: 0, max: 1_000 }],
    tiers: ['fast', 'heavy'].map((tier) => ({ name: tier, model: `mail-${tier}` })),
    target: {},
    fallback: ['retry'],
    retry: { delaysMs },
  });
  const topics = topicsOf(name);
  const tier = flow.tiers[1]!;
  await bus.ensureTopics(topicSpecs(flow));
  const asked = new Map<number, number>();
  const infer = async (values: readonly { readonly value: Buffer }[]) =>
    values.map(({ value }) => {
      // A zigzag varint of at most two bytes follows the framing.
      const links = (value[10]! & 0x7f) / 2 + (value.length > 11 ? value[11]! * 64 : 0);
      const times = (asked.get(links) ?? 0) + 1;
      asked.set(links, times);
      if (isLost(links, times)) return new SluiceError('SLUICE_MODEL_LOST', 'it hung');
      return { tier: tier.name, model: tier.model, version: '1.0.0', label: 1, confidence: 0.9, margin: 0.8, entropy: 0.3 };
    });
  const topology = inferenceTopology(flow, tier);
  const worker = await bus.openPipe({
    ...{
      group: topology.group,
      topics: topology.in,
      delivery: flow.delivery,
      maxSlice: 50,
      lingerMs: 5,
      deadLetters: topology.deadLetters,
    },
    processor: () =>
      new WorkerProcessor({
        ...{ flow, tier, clock, signatureWidth: 0, server: { infer }, schemas: new RequestSchemas([schema]) },
        ...{ policy: () => initialPolicy(flow), answered: new Tally() },
      }),
  });
  const router = await startRouter({ bus, flow, schemas: [schema], costs: [0.1, 1], clock });
  const publisher = await bus.openPublisher();
  return {
    ...{ flow, topics },
    publish: (links: readonly number[]) =>
      publisher.publish(
        links.map((count) => ({ topic: topics.requests, key: Buffer.from('key'), value: encodeSingleObject(schema, { links: count }) })),
      ),
    predictions: async (): Promise<Prediction[]> => (await bus.readAll([topics.predictions])).map(({ value }) => decodePrediction(value!)),
    /** Of predictions and dead letters. */
    origins: async (): Promise<string[]> =>
      (await bus.readAll([topics.predictions, topics.deadLetters])).map(({ headers }) => headerText(headers, header.origin)!),
    async close() {
      await router.close();
      await worker.close();
    },
  };
}

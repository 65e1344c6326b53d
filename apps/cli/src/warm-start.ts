import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Command } from 'commander';
import { encodeExample, singleObjectHeader, topicsOf, topicSpecs } from '@sluice/contracts';
import { type Answer, type EpochMs, type EventId, type Example, type Manifest } from '@sluice/domain';
import { labelledExample } from '@sluice/learning';
import { compileSignature } from '@sluice/routing';
import { loadFlow, loadManifests, systemClock, type FlowFiles } from '@sluice/service';
import { loadModel } from '@sluice/serving';
import { kafkaBus, type Bus } from '@sluice/streaming';
import { inputRows, readLabelled, type LabelledRequest } from './labelled-sample.ts';

interface WarmStartOptions {
  readonly flow: string;
  readonly models: string;
  readonly sample: string;
  readonly brokers: string;
}

export interface SampleSource {
  readonly files: FlowFiles;
  /** Folder of all models. */
  readonly models: string;
  readonly requests: readonly LabelledRequest[];
  readonly now: EpochMs;
}

/** `sluice warm-start`: a labelled sample in place of the warm-up, which every event would pay in full. */
export function warmStartCommand(): Command {
  return new Command('warm-start')
    .description('Teaches a flow from a labelled sample before its first event, so that light tiers serve from the start.')
    .option('--flow <file>', 'flow file', 'infra/flows/mail.yaml')
    .option('--models <dir>', 'folder of all models', 'tools/demo/models')
    .requiredOption(
      '--sample <file>',
      'labelled requests that no tier was trained on, one JSON object a line: {"label": "spam", "request": {...}}',
    )
    .requiredOption('--brokers <list>', 'Kafka bootstrap servers')
    .action(async ({ flow: file, models, sample, brokers }: WarmStartOptions) => {
      const files = await loadFlow(file);
      const requests = await readLabelled(sample, files.flow.labels, files.schemas[0]!);
      const examples = await labelledExamples({ files, models, requests, now: systemClock.now() });
      const bus = kafkaBus({ brokers: brokers.split(','), clientId: 'sluice-warm-start' });
      try {
        await publishExamples(bus, files, examples);
      } finally {
        await bus.close();
      }
      const { warmUp } = files.flow.controller;
      const enough = examples.length >= warmUp ? 'no warm-up is left' : `its warm-up of ${warmUp} events goes on after them`;
      process.stdout.write(`${examples.length} labelled requests for flow ${files.flow.flow}: ${enough}\n`);
    });
}

/** Runs every tier on every request of the sample. */
export async function labelledExamples({ files: { flow, schemas }, models, requests, now }: SampleSource): Promise<Example[]> {
  const { answersOf } = await import('@sluice/serving/examine');
  const byTier: Answer[][] = [];
  for (const { name, model } of flow.tiers) {
    const folder = await loadModel(join(models, model), schemas);
    byTier.push(await answersOf(folder, name, inputRows(folder, requests)));
  }
  const signature = compileSignature(
    flow,
    schemas,
    (await loadManifests(flow, models)).map(({ envelope }: Manifest) => envelope),
  );
  const times = { now, requestedAt: now, deadlineAt: now + flow.request.deadlineMs };
  return requests.map(({ value, truth }, index) => {
    const { row } = signature.read({ value, schema: 0, start: singleObjectHeader, ...times });
    const kept = { indices: row.indices.slice(), values: row.values.slice() };
    const answers = byTier.map((answers) => answers[index]!);
    return labelledExample({ id: idOf(value), signature: kept, answers, truth }, now);
  });
}

/** Told by its content, so that a sample that is published again soon after counts once, as far back as the learner remembers parts. */
function idOf(value: Buffer): EventId {
  return `sample-${createHash('sha256').update(value).digest('base64url')}`;
}

export async function publishExamples(bus: Bus, { flow }: FlowFiles, examples: readonly Example[]): Promise<void> {
  await bus.ensureTopics(topicSpecs(flow));
  const topic = topicsOf(flow.flow).examples;
  const publisher = await bus.openPublisher();
  for (let at = 0; at < examples.length; at += perSend) {
    const slice = examples.slice(at, at + perSend);
    await publisher.publish(slice.map((example) => ({ topic, partition: 0, key: Buffer.from(example.id), value: encodeExample(example) })));
  }
  await publisher.close();
}

const perSend = 500;

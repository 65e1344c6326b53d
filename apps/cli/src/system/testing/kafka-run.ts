import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { passJudgement, type BrokerHandle, type Verdict } from '@sluice/broker';
import { topicsOf, topicSpecs } from '@sluice/contracts';
import { demoFlowFile, openDataset, requestStream, shippedModels, withPoison } from '@sluice/demo';
import { loadFlow, systemClock, type FlowFiles } from '@sluice/service';
import { kafkaBus, type Bus } from '@sluice/streaming';
import { Collector } from '../../demo/collector.ts';
import { DemoStream } from '../../demo/stream.ts';
import { writeFlowDocument } from '../flow-document.ts';
import { startProcesses, type ProcessSystem } from '../processes.ts';

export interface KafkaRun extends AsyncDisposable {
  readonly files: FlowFiles;
  readonly bus: Bus;
  readonly system: ProcessSystem;
  readonly collector: Collector;
  readonly stream: DemoStream;
  /** Counts every record of the run with Kafka's console consumer. */
  verdict(): Promise<Verdict>;
}

export interface KafkaRunOptions {
  readonly broker: Pick<BrokerHandle, 'brokers' | 'judge' | 'kind'>;
  readonly events: number;
  readonly poison: number;
  readonly rate: number;
  /** Folder of all models. Left out: the shipped ones. */
  readonly models?: string;
}

/** The mail system as processes on a real broker, under a flow name of its own so that runs do not meet. */
export async function kafkaRun({ broker, events, poison, rate, models = shippedModels }: KafkaRunOptions): Promise<KafkaRun> {
  const runDir = await mkdtemp(join(tmpdir(), 'sluice-kafka-'));
  const demo = await loadFlow(demoFlowFile('mail'));
  const dataset = openDataset({ flow: demo.flow, schemas: demo.schemas });
  const name = `mail-${randomBytes(4).toString('hex')}`;
  const files = await writeFlowDocument(runDir, { ...demo, flow: { ...demo.flow, flow: name } });
  const bus = kafkaBus({ brokers: broker.brokers!.split(','), clientId: 'sluice-test' });
  await bus.ensureTopics(topicSpecs(files.flow));
  const collector = new Collector(name, systemClock);
  await bus.openReader({ topics: collector.topics, from: 'end', onRecords: (records) => collector.add(records) });
  const system = await startProcesses({ files, models, runDir, drills: new Map(), onStep: () => undefined }, broker.brokers!);
  const publisher = await bus.openPublisher();
  const good = requestStream(files.flow, dataset, { seed: 1, events });
  const stream = new DemoStream({
    flow: files.flow,
    requests: withPoison(good.items(), { flow: demo.flow, schema: files.schemas[0]!, count: poison, seed: 1, events }),
    publisher,
    clock: systemClock,
    rate,
    maxWaiting: Infinity,
    answered: () => collector.answered,
    signal: new AbortController().signal,
  });
  return {
    files,
    bus,
    system,
    collector,
    stream,
    verdict: () => passJudgement({ broker, bus, topics: topicsOf(name), models: files.flow.tiers.map(({ model }) => model) }),
    async [Symbol.asyncDispose]() {
      await system.close();
      await publisher.close();
      await bus.close();
      await rm(runDir, { recursive: true, force: true });
    },
  };
}

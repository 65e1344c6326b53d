import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeOutcome, header, topicsOf, topicSpecs } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';
import { demoFlowFile, openDataset, requestStream, shippedModels, withPoison, type StreamItem } from '@sluice/demo';
import type { VersionChange } from '@sluice/inference';
import { loadFlow, type FlowFiles } from '@sluice/service';
import { memoryBus, type MemoryBus, type MemoryBusOptions } from '@sluice/streaming';
import { startInProcess, type InProcessOptions, type InProcessSystem } from '../in-process.ts';

export interface FlowRun extends AsyncDisposable {
  readonly files: FlowFiles;
  readonly bus: MemoryBus;
  readonly items: readonly StreamItem[];
  readonly system: InProcessSystem;
  /** What became of versions that the catalog named. */
  readonly changes: readonly VersionChange[];
  /** Publishes items `from` to `to` and runs every pipe until nothing is left. */
  push(from: number, to: number): Promise<void>;
  /** Publishes the outcome of every item that was pushed and runs every pipe until nothing is left. */
  settleOutcomes(): Promise<void>;
}

export interface FlowRunOptions extends MemoryBusOptions, InProcessOptions {
  readonly events: number;
  readonly poison?: number;
  /** What is declared otherwise than in the demo's flow. */
  readonly target?: Partial<Flow['target']>;
  readonly controller?: Partial<Flow['controller']>;
  /** Folder of all models. Left out: the shipped ones. */
  readonly models?: string;
}

/** The whole mail system on the in-memory driver, fed by hand: nothing moves between two calls. */
export async function flowRun({
  events,
  poison = 0,
  models = shippedModels,
  target,
  controller,
  clock,
  warn,
  ...options
}: FlowRunOptions): Promise<FlowRun> {
  const loaded = await loadFlow(demoFlowFile('mail'));
  const declared = { target: { ...loaded.flow.target, ...target }, controller: { ...loaded.flow.controller, ...controller } };
  const files = { ...loaded, flow: { ...loaded.flow, ...declared } };
  const { flow, schemas } = files;
  const runDir = await mkdtemp(join(tmpdir(), 'sluice-flow-'));
  const bus = memoryBus(options);
  await bus.ensureTopics(topicSpecs(flow));
  const changes: VersionChange[] = [];
  const onVersion = (change: VersionChange) => void changes.push(change);
  const system = await startInProcess(
    { files, models, runDir, drills: new Map(), onStep: () => undefined, ...(clock && { clock }), warn, onVersion },
    bus,
  );
  const dataset = openDataset({ flow, schemas });
  const good = requestStream(flow, dataset, { seed: 1, events, outcomeShare: 1 });
  const items = [...withPoison(good.items(), { flow, schema: schemas[0]!, count: poison, seed: 1, events })];
  const publisher = await bus.openPublisher();
  const pushed: StreamItem[] = [];
  return {
    files,
    bus,
    items,
    system,
    changes,
    async push(from, to) {
      const batch = items.slice(from, to);
      pushed.push(...batch);
      await publisher.publish(
        batch.map((item, index) =>
          requestRecord(item, { topic: topicsOf(flow.flow).requests, partition: (from + index) % flow.request.partitions }),
        ),
      );
      await bus.settle();
    },
    async settleOutcomes() {
      const known = pushed.splice(0).filter(({ truth, poison: fault }) => truth !== undefined && fault === undefined);
      await publisher.publish(
        known.map(({ id, truth }) => ({
          topic: topicsOf(flow.flow).outcomes,
          key: Buffer.from(id!),
          value: encodeOutcome({ id: id!, label: truth!, at: Date.now(), origin: 'truth' }),
        })),
      );
      await bus.settle();
    },
    async [Symbol.asyncDispose]() {
      await system.close();
      await bus.close();
      await rm(runDir, { recursive: true, force: true });
    },
  };
}

function requestRecord({ id, key, value, headers }: StreamItem, at: { readonly topic: string; readonly partition: number }) {
  return {
    topic: at.topic,
    ...(key === null && { partition: at.partition }),
    key,
    value,
    headers: { ...(id !== undefined && { [header.ceId]: id }), ...headers },
  };
}

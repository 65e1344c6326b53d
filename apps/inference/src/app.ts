import { join } from 'node:path';
import { encodeHealth, header, healthTopic, policyTopic, RequestSchemas } from '@sluice/contracts';
import { fallbacksOf, type Clock, type EpochMs, type Flow, type Health, type TierSpec, type WrongAnswers } from '@sluice/domain';
import { PolicyGuard, signatureShape, type PolicyGuardOptions } from '@sluice/routing';
import { ModelPool, ResponseCache, type BackendChoice, type CalibrationStore, type LeftVersion, type ServedModel } from '@sluice/serving';
import { Tally } from '@sluice/service';
import type { Bus, Pipe, Publisher } from '@sluice/streaming';
import { ModelBreaker } from './breaker.ts';
import { CatalogFollower, type VersionChange } from './follow-catalog.ts';
import { versionsLeft } from './left-before.ts';
import { Pace } from './pace.ts';
import { WorkerProcessor, type WorkerParts } from './processor.ts';
import { slowed } from './slowed.ts';
import { inferenceTopology } from './topology.ts';

/** Milliseconds that a slice of shadow runs alone may gather: the learner hears of them seconds later anyhow. */
const shadowLingerMs = 100;

export interface InferenceOptions {
  readonly bus: Bus;
  readonly flow: Flow;
  readonly schemas: readonly object[];
  /** Folder that holds one folder per model. */
  readonly models: string;
  /** The tiers this process serves. */
  readonly tiers: readonly TierSpec[];
  readonly clock: Clock;
  readonly instance: string;
  readonly threads?: number;
  readonly backend?: BackendChoice;
  readonly requireGpu?: boolean;
  readonly drills?: ReadonlyMap<string, WrongAnswers>;
  /** Drill: milliseconds that each row takes longer. */
  readonly slowRowMs?: number;
  /** Files of inference threads by tier; tests put faulty ones here. */
  readonly threadFiles?: ReadonlyMap<string, URL>;
  readonly maxSlice?: number;
  readonly lingerMs?: number;
  /** Takes what is said of the policy topic; left out: nobody. */
  readonly warn?: PolicyGuardOptions['warn'] | undefined;
  /** Most bytes that the models of this process may take together. Left out: no limit. */
  readonly memoryBudget?: number;
  /** Keeps what timing a model came to between starts. Left out: timed at every start. */
  readonly calibrations?: CalibrationStore;
  /** Called when a version named by the catalog was taken up or refused. */
  readonly onVersion?: (change: VersionChange) => void;
  /** Called when an inference thread of a tier hung or died and was replaced, with the reason. */
  readonly onLost?: (tier: string, why: string) => void;
}

export interface Worker {
  readonly tier: TierSpec;
  readonly server: ServedModel;
  readonly pipe: Pipe;
  /** What became of the records of committed slices. */
  readonly answered: Tally<'fate'>;
  readonly breaker: ModelBreaker | undefined;
  readonly pace: Pace;
  /** Of a tier whose flow gives it memory for answers. */
  readonly cache: ResponseCache | undefined;
}

export interface Inference {
  readonly workers: readonly Worker[];
  readonly policy: PolicyGuard;
  readonly catalog: CatalogFollower;
  /** Publishes the state of every worker to the health topic. */
  reportHealth(): Promise<void>;
  close(): Promise<void>;
}

/** Wires the workers of one process: models loaded and warm first, then the pipes. */
export async function startInference(options: InferenceOptions): Promise<Inference> {
  const { bus, flow, clock } = options;
  const { width } = signatureShape(flow, options.schemas);
  const policy = new PolicyGuard({ flow, signatureWidth: width, warn: options.warn });
  const pool = new ModelPool(options.memoryBudget === undefined ? {} : { budget: options.memoryBudget });
  const { onVersion } = options;
  // A worker that comes back keeps events waiting: what does not need the other is done side by side.
  const [policies, health, catalog, servers] = await Promise.all([
    bus.openTable({
      topic: policyTopic,
      decode: (value, _key, at) => ({ value, at }),
      onChange: (key, record) => policy.hear(key, record, clock.now()),
    }),
    bus.openPublisher(),
    versionsLeft(bus, flow).then((left) => CatalogFollower.open({ bus, models: options.models, left, ...(onVersion && { onVersion }) })),
    loadModels(options, { pool, onLeft: (server, left) => catalog.left(server, left) }),
  ]);
  const shared = { signatureWidth: width, policy: (now: EpochMs) => policy.inForce(now) };
  const workers: Worker[] = [];
  for (const [i, tier] of options.tiers.entries())
    workers.push(await startWorker(options, tier, { ...shared, server: servers[i]!, catalog }));
  return {
    workers,
    policy,
    catalog,
    reportHealth: () => publishHealth(options, { workers, catalog }, health),
    async close() {
      await Promise.all(workers.map(({ pipe }) => pipe.close()));
      await catalog.close();
      await pool.close();
      await Promise.all([policies.close(), health.close()]);
    },
  };
}

/** One after the other: a model that is timed here for the first time wants the machine to itself. */
async function loadModels(
  options: InferenceOptions,
  { pool, onLeft }: { readonly pool: ModelPool; readonly onLeft: (server: ServedModel, left: LeftVersion) => void },
): Promise<readonly ServedModel[]> {
  const { schemas, threads, calibrations } = options;
  const servers: ServedModel[] = [];
  for (const { name, model } of options.tiers) {
    const threadFile = options.threadFiles?.get(name);
    const server: ServedModel = await pool.add({
      onLeft: (left) => onLeft(server, left),
      onLost: (why) => options.onLost?.(name, why),
      dir: join(options.models, model),
      tier: name,
      schemas,
      ...(threads === undefined ? {} : { threads }),
      backend: options.backend ?? 'auto',
      requireGpu: options.requireGpu ?? false,
      ...(calibrations && { calibrations }),
      ...(threadFile && { threadFile }),
    });
    servers.push(server);
  }
  return servers;
}

async function startWorker(
  options: InferenceOptions,
  tier: TierSpec,
  {
    server,
    catalog,
    ...shared
  }: Pick<WorkerParts, 'signatureWidth' | 'policy'> & { readonly server: ServedModel; readonly catalog: CatalogFollower },
): Promise<Worker> {
  const { bus, flow, schemas, clock } = options;
  await catalog.follow(tier.model, server);
  const topology = inferenceTopology(flow, tier);
  const drill = options.drills?.get(tier.name);
  const answered = new Tally<'fate'>();
  const { guarded, breaker, cache } = guard(options, tier, server);
  const pace = new Pace();
  const parts = {
    ...shared,
    ...{ flow, tier, clock, answered, pace, cache },
    server: cache ?? guarded,
    schemas: new RequestSchemas(schemas, flow.request.confluentIds),
    ...(drill === undefined ? {} : { drill }),
  };
  const pipe = await bus.openPipe({
    group: topology.group,
    topics: topology.in,
    delivery: flow.delivery,
    maxSlice: options.maxSlice ?? 256,
    lingerMs: options.lingerMs ?? 5,
    unhurried: { is: ({ headers }) => header.shadow in headers, lingerMs: shadowLingerMs },
    deadLetters: topology.deadLetters,
    processor: () => new WorkerProcessor(parts),
  });
  return { tier, server, pipe, answered, breaker, cache, pace };
}

/** What stands between the records and the model, from the model outwards: drill, breaker, memory for answers. */
function guard(options: InferenceOptions, tier: TierSpec, server: ServedModel) {
  const breaker = breakerOf(options, tier);
  const model = options.slowRowMs === undefined ? server : slowed(server, options.slowRowMs);
  const guarded = breaker?.before(model) ?? model;
  const cache = tier.cacheMb === undefined ? undefined : new ResponseCache(guarded, tier.cacheMb * 2 ** 20);
  return { guarded, breaker, cache };
}

/** None for a tier that nothing could stand in for: its events wait for the model, whatever state it is in. */
function breakerOf({ flow, instance, clock }: InferenceOptions, { name, model }: TierSpec): ModelBreaker | undefined {
  const isLast = name === flow.tiers.at(-1)!.name;
  if (isLast && fallbacksOf(flow, name).every((way) => way === 'heavier')) return undefined;
  return new ModelBreaker({ model, instance, flow, clock });
}

async function publishHealth(options: InferenceOptions, told: Pick<Inference, 'workers' | 'catalog'>, publisher: Publisher): Promise<void> {
  const records = told.workers.map(async (worker) => ({
    topic: healthTopic,
    partition: 0,
    key: Buffer.from(`${options.flow.flow}/${worker.server.manifest.model}/${options.instance}`),
    value: encodeHealth(await healthOf(options, worker, told.catalog.refused(worker.server))),
  }));
  await publisher.publish(await Promise.all(records));
}

async function healthOf(options: InferenceOptions, worker: Worker, refused: ReturnType<CatalogFollower['refused']>): Promise<Health> {
  const { flow, instance, clock } = options;
  const { server, pipe, breaker, pace } = worker;
  const waiting = await waitingFor(options, worker);
  const now = clock.now();
  const delay = pace.delayOf(waiting, now);
  breaker?.lags(delay);
  return {
    flow: flow.flow,
    model: server.manifest.model,
    version: server.manifest.version,
    instance,
    at: now,
    backend: server.backend.name,
    gpu: server.backend.gpu,
    ...server.fit(),
    queued: server.queued,
    served: pipe.stats.records,
    failed: pipe.stats.deadLetters,
    refusedVersion: refused?.version ?? '',
    refusedWhy: refused?.refused.message ?? '',
    refusedCode: refused?.refused.code ?? '',
    breakerOpen: breaker?.isOpen ?? false,
    delay,
  };
}

/** Records that this worker has yet to answer: its share of what its group has not committed, for a full worker fetches no more than it holds. */
async function waitingFor({ bus, flow }: InferenceOptions, { tier, server, pipe }: Worker): Promise<number> {
  const { group, in: topics } = inferenceTopology(flow, tier);
  try {
    return ((await bus.lag(group, topics)) * pipe.stats.assigned) / flow.request.partitions;
  } catch {
    // A broker that does not answer now; what waits in the worker is known all the same.
    return server.queued;
  }
}

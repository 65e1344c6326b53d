import { join } from 'node:path';
import { z } from 'zod';
import { describeError, SluiceError, type Flow, type TierSpec } from '@sluice/domain';
import { loadFlow, runApp } from '@sluice/service';
import { CalibrationStore, stateDir } from '@sluice/serving';
import { kafkaBus } from '@sluice/streaming';
import { startInference, type InferenceOptions } from './app.ts';
import { observeInference } from './metrics.ts';

const schema = z.object({
  brokers: z.array(z.string()).min(1).describe('Kafka bootstrap servers'),
  flow: z.string().describe('Flow file'),
  models: z.string().describe('Folder with one folder per model'),
  tiers: z.array(z.string()).min(1).describe('Tiers that this process serves'),
  backend: z
    .enum(['auto', 'compiled', 'wasm', 'native', 'frozen', 'webgpu', 'cpu'])
    .default('auto')
    .describe('How models run; auto takes what is fastest of what loads here (sluice doctor)'),
  requireGpu: z.boolean().default(false).describe('End with an error unless a GPU is really used'),
  memoryMb: z.int().min(64).optional().describe('Most memory that the models of this process take together; the least used leaves first'),
  threads: z.int().min(1).max(64).default(1).describe('Inference threads per model'),
  calibrations: z
    .string()
    .default(join(stateDir(), 'calibrations'))
    .describe('Folder that keeps how fast each model runs here, so that the next start need not time it'),
  maxSlice: z.int().min(1).max(5000).default(256).describe('Most records in one transaction'),
  lingerMs: z.int().min(0).max(1000).default(5).describe('How long a transaction waits for more records'),
  healthMs: z.int().min(100).default(2000).describe('How often the state of the workers is published'),
  slowRowMs: z.number().min(0).max(10_000).default(0).describe('Drill: milliseconds that each row takes longer'),
  wrongAnswers: z.number().min(0).max(1).default(0).describe('Drill: share of answers made silently wrong'),
  wrongFrom: z.int().min(0).default(0).describe('Drill: first event number it applies to'),
  wrongKey: z.int().min(0).default(7).describe('Drill: another key makes other answers wrong'),
});

type Config = z.output<typeof schema>;

await runApp({
  name: 'inference',
  summary: 'Serves tiers of a flow: infers, answers, escalates and audits.',
  schema,
  async start(config, { clock, instance, log, metrics }) {
    const { flow, schemas } = await loadFlow(config.flow);
    const tiers = config.tiers.map((name) => tierOf(flow, name));
    const bus = kafkaBus({ brokers: config.brokers, clientId: 'sluice-inference', instance, logger: log });
    const inference = await startInference({
      ...optionsOf(config),
      ...{ bus, flow, schemas, tiers, clock, instance, warn: log.warn },
      calibrations: new CalibrationStore({ folder: config.calibrations }),
      onLost: (tier, why) => log.warn('inference.thread-lost', { tier, why }),
      onVersion: ({ model, version, refused, backTo }) => {
        if (!refused) return log.info('inference.version', { model, version });
        const event = backTo === undefined ? 'inference.version-refused' : 'inference.version-left';
        log.warn(event, { model, version, why: describeError(refused), ...(backTo !== undefined && { backTo }) });
      },
    });
    for (const { tier, server } of inference.workers) {
      const { name, gpu, why } = server.backend;
      log.info('inference.backend', { tier: tier.name, model: server.manifest.model, backend: name, gpu, why });
    }
    observeInference(metrics, inference, clock);
    const unpublished = (thrown: unknown) => log.warn('health.unpublished', { why: String(thrown) });
    const timer = setInterval(() => void inference.reportHealth().catch(unpublished), config.healthMs);
    return {
      failed: Promise.all(inference.workers.map(({ pipe }) => pipe.done)),
      ready: () => inference.workers.every(({ pipe }) => pipe.stats.assigned > 0),
      close: async () => {
        clearInterval(timer);
        await inference.close();
        await bus.close();
      },
    };
  },
});

function optionsOf(
  config: Config,
): Pick<
  InferenceOptions,
  'models' | 'backend' | 'requireGpu' | 'threads' | 'maxSlice' | 'lingerMs' | 'drills' | 'slowRowMs' | 'memoryBudget'
> {
  const { models, backend, requireGpu, threads, maxSlice, lingerMs, memoryMb } = config;
  const drill = { rate: config.wrongAnswers, fromSequence: config.wrongFrom, key: config.wrongKey };
  const drills = new Map(config.wrongAnswers > 0 ? config.tiers.map((tier) => [tier, drill] as const) : []);
  const memory = memoryMb === undefined ? {} : { memoryBudget: memoryMb * 2 ** 20 };
  const slow = config.slowRowMs > 0 ? { slowRowMs: config.slowRowMs } : {};
  return { models, backend, requireGpu, threads, maxSlice, lingerMs, drills, ...slow, ...memory };
}

function tierOf(flow: Flow, name: string): TierSpec {
  const tier = flow.tiers.find((entry) => entry.name === name);
  if (tier === undefined)
    throw new SluiceError(
      'SLUICE_CONFIG_INVALID',
      `flow ${flow.flow} has no tier ${name}; it has ${flow.tiers.map((entry) => entry.name).join(', ')}`,
    );
  return tier;
}

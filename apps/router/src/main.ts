import { z } from 'zod';
import { loadFlow, loadManifests, readCommandLine, relativeCosts, reportAndExit, runService } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import { startRouter } from './app.ts';

const schema = z.object({
  brokers: z.array(z.string()).min(1).describe('Kafka bootstrap servers'),
  flow: z.string().describe('Flow file'),
  models: z.string().describe('Folder with one folder per model; the router reads only the manifests'),
  maxSlice: z.int().min(1).max(5000).default(500).describe('Most requests in one transaction'),
  lingerMs: z.int().min(0).max(1000).default(5).describe('How long a transaction waits for more requests'),
});

try {
  const config = readCommandLine({
    name: 'router',
    summary: 'Tags each request of a flow with a tier and republishes it to the topic of its model.',
    schema,
  });
  if (config !== undefined) await run(config);
} catch (thrown) {
  reportAndExit(process, thrown);
}

function run(config: z.output<typeof schema>): Promise<void> {
  return runService({
    name: 'router',
    async start({ clock, instance, log }) {
      const { flow, schemas } = await loadFlow(config.flow);
      const costs = relativeCosts(await loadManifests(flow, config.models));
      const bus = kafkaBus({ brokers: config.brokers, clientId: 'sluice-router', instance, logger: log });
      const router = await startRouter({ bus, flow, schemas, costs, clock, maxSlice: config.maxSlice, lingerMs: config.lingerMs });
      return {
        failed: router.pipe.done,
        ready: () => router.pipe.stats.assigned > 0,
        close: async () => {
          await router.close();
          await bus.close();
        },
      };
    },
  });
}

import { z } from 'zod';
import { loadFlow, loadManifests, relativeCosts, runApp } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import { startRouter } from './app.ts';
import { observeRouter } from './metrics.ts';

await runApp({
  name: 'router',
  summary: 'Tags each request of a flow with a tier and republishes it to the topic of its model.',
  schema: z.object({
    brokers: z.array(z.string()).min(1).describe('Kafka bootstrap servers'),
    flow: z.string().describe('Flow file'),
    models: z.string().describe('Folder with one folder per model; only the manifests are read'),
    maxSlice: z.int().min(1).max(5000).default(500).describe('Most requests in one transaction'),
    lingerMs: z.int().min(0).max(1000).default(5).describe('How long a transaction waits for more requests'),
  }),
  async start({ brokers, maxSlice, lingerMs, ...files }, { clock, instance, log, metrics }) {
    const { flow, schemas } = await loadFlow(files.flow);
    const manifests = await loadManifests(flow, files.models);
    const costs = relativeCosts(flow, manifests);
    const envelopes = manifests.map(({ envelope }) => envelope);
    const bus = kafkaBus({ brokers, clientId: 'sluice-router', instance, logger: log });
    const router = await startRouter({ bus, flow, schemas, costs, envelopes, clock, maxSlice, lingerMs, warn: log.warn });
    observeRouter(metrics, router, clock);
    return {
      failed: Promise.all([router.pipe.done, router.retries?.done]),
      ready: () => router.pipe.stats.assigned > 0,
      close: async () => {
        await router.close();
        await bus.close();
      },
    };
  },
});

import { z } from 'zod';
import { loadFlow, loadManifests, relativeCosts, runApp } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import { startFeedback } from './app.ts';
import { observeFeedback } from './metrics.ts';

await runApp({
  name: 'feedback',
  summary: 'Joins predictions with outcomes and retunes the policy of a flow.',
  schema: z.object({
    brokers: z.array(z.string()).min(1).describe('Kafka bootstrap servers'),
    flow: z.string().describe('Flow file'),
    models: z.string().describe('Folder with one folder per model; only the manifests are read'),
    stateDir: z.string().describe('Folder for the join store; it may be lost, the changelog topic is the truth'),
    lingerMs: z.int().min(0).max(5000).default(300).describe('How long a transaction waits for more records'),
  }),
  async start({ brokers, stateDir, lingerMs, ...files }, { instance, log, metrics }) {
    const { flow, schemas } = await loadFlow(files.flow);
    const costs = relativeCosts(flow, await loadManifests(flow, files.models));
    const bus = kafkaBus({ brokers, clientId: 'sluice-feedback', instance, logger: log });
    const feedback = await startFeedback({ bus, flow, schemas, costs, stateDir, lingerMs });
    observeFeedback(metrics, feedback, flow);
    return {
      failed: Promise.all(feedback.pipes.map((pipe) => pipe.done)),
      ready: () => feedback.pipes.every((pipe) => pipe.stats.assigned > 0),
      close: async () => {
        await feedback.close();
        await bus.close();
      },
    };
  },
});

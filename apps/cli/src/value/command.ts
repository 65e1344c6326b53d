import { Command } from 'commander';
import { decodeExample, policyTopic, readPolicies, topicsOf } from '@sluice/contracts';
import { SluiceError, type Flow } from '@sluice/domain';
import type { Estimate, PolicyValue } from '@sluice/learning';
import { signatureShape } from '@sluice/routing';
import { loadFlow, loadManifests, relativeCosts } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import { readCandidate, valueOnLog } from './candidate.ts';

interface ValueOptions {
  readonly flow: string;
  readonly candidate: string;
  readonly models: string;
  readonly brokers: string;
  readonly json: boolean;
}

/** `sluice value`: what a policy would have lost and cost, told from a log of another one. */
export function valueCommand(): Command {
  return new Command('value')
    .description('Says what a candidate policy would have lost and cost on the logged events, before it serves.')
    .option('--flow <file>', 'flow file', 'infra/flows/mail.yaml')
    .requiredOption('--candidate <file>', 'JSON: threshold, auditRate, heavyOnly; what is left out stays as it was')
    .requiredOption('--models <dir>', 'folder with one folder per model; only the manifests are read')
    .requiredOption('--brokers <list>', 'Kafka bootstrap servers')
    .option('--json', 'print the numbers instead of the sentences', false)
    .action(async (options: ValueOptions) => {
      const { flow, schemas } = await loadFlow(options.flow);
      const candidate = await readCandidate(options.candidate);
      const costs = relativeCosts(flow, await loadManifests(flow, options.models));
      const bus = kafkaBus({ brokers: options.brokers.split(','), clientId: 'sluice-value' });
      try {
        const topic = topicsOf(flow.flow).examples;
        const examples = (await bus.readAll([topic])).map(({ value }) => decodeExample(value!));
        const policies = readPolicies(await bus.readAll([policyTopic]), flow.flow);
        const value = valueOnLog({ flow, signatureWidth: signatureShape(flow, schemas).width, costs, examples, policies }, candidate);
        if (value.events === 0)
          throw new SluiceError('SLUICE_DATA_MISSING', `topic ${topic} holds no event that was decided after warm-up`);
        process.stdout.write(`${options.json ? JSON.stringify(value, null, 2) : renderValue(flow, value)}\n`);
      } finally {
        await bus.close();
      }
    });
}

export function renderValue(flow: Flow, { events, known, effectiveSamples, loss, cost, doubts }: PolicyValue): string {
  return [
    `${flow.flow}: on ${events} logged events, of ${known} of which every tier's answer is known (as good as ${effectiveSamples.toFixed(0)} equally weighted ones),`,
    `the candidate would have lost ${said(loss.dr)} against always-heavy (declared: at most ${percent(flow.target.maxLoss)})`,
    `and cost ${said(cost.dr)} of it, audits included. Doubly robust, with 95 % confidence.`,
    ...doubts.map((doubt) => `Do not rely on it: ${doubt}.`),
  ].join('\n');
}

function said({ value, lower, upper }: Estimate): string {
  return `${percent(value)} (${percent(lower)} to ${percent(upper)})`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

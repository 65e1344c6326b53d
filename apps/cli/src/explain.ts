import { Command } from 'commander';
import { decodePrediction, policyTopic, readPolicies, topicsOf } from '@sluice/contracts';
import { SluiceError, type PolicySnapshot, type Prediction } from '@sluice/domain';
import { signatureShape, explain, renderExplanation } from '@sluice/routing';
import { loadFlow } from '@sluice/service';
import { kafkaBus, type InRecord } from '@sluice/streaming';

interface ExplainOptions {
  readonly flow: string;
  readonly brokers: string;
  readonly json: boolean;
}

/** `sluice explain <id>`: says in words why an event was served by the tier that served it. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('Says in words why an event was served by the tier that served it.')
    .argument('<id>', 'id of the event (ce_id, or topic/partition/offset)')
    .option('--flow <file>', 'flow file', 'infra/flows/mail.yaml')
    .requiredOption('--brokers <list>', 'Kafka bootstrap servers')
    .option('--json', 'print the structure instead of the paragraph', false)
    .action(async (id: string, options: ExplainOptions) => {
      const { flow, schemas } = await loadFlow(options.flow);
      const bus = kafkaBus({ brokers: options.brokers.split(','), clientId: 'sluice-explain' });
      try {
        const records = await bus.readAll([topicsOf(flow.flow).predictions]);
        const record = records.find(({ key }) => key?.toString() === id);
        if (record === undefined)
          throw new SluiceError('SLUICE_DATA_MISSING', `topic ${topicsOf(flow.flow).predictions} holds no prediction with id ${id}`);
        const prediction = decodePrediction(record.value!);
        const policy = citedPolicy(await bus.readAll([policyTopic]), prediction);
        const explanation = explain(prediction, { flow, signatureNames: signatureShape(flow, schemas).names, ...(policy && { policy }) });
        process.stdout.write(`${options.json ? JSON.stringify(explanation, null, 2) : renderExplanation(explanation)}\n`);
      } finally {
        await bus.close();
      }
    });
}

function citedPolicy(records: readonly InRecord[], prediction: Prediction): PolicySnapshot | undefined {
  const cited = prediction.trail.at(-1)?.policyVersion;
  return readPolicies(records, prediction.flow).find(({ version }) => version === cited);
}

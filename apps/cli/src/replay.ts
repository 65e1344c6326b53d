import { Command } from 'commander';
import { decodeExample, decodePrediction, topicsOf } from '@sluice/contracts';
import { SluiceError, type Example, type Flow, type Prediction } from '@sluice/domain';
import { policiesAt } from '@sluice/learning';
import { initialPolicy, replayTrail, signatureShape, type Replay } from '@sluice/routing';
import { loadFlow, type FlowFiles } from '@sluice/service';
import { kafkaBus, type Bus } from '@sluice/streaming';

interface ReplayOptions {
  readonly flow: string;
  readonly brokers: string;
}

/** What was decided, and what there was to decide it by. */
export interface DecisionLog {
  readonly predictions: readonly Prediction[];
  /** All of `<flow>.examples`, from its first record on. */
  readonly examples: readonly Example[];
}

/** What came of deciding again. */
export interface Replayed {
  readonly decisions: number;
  readonly policies: number;
  /** Predictions that come out otherwise, in words. */
  readonly faults: readonly string[];
}

const mostShown = 10;

/** `sluice replay`: makes every logged decision again, from nothing but the flow file and the topics. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('Makes every decision of the predictions again, under policies folded anew from the examples, and compares bit for bit.')
    .option('--flow <file>', 'flow file', 'infra/flows/mail.yaml')
    .requiredOption('--brokers <list>', 'Kafka bootstrap servers')
    .action(async ({ flow: file, brokers }: ReplayOptions) => {
      const { flow, schemas } = await loadFlow(file);
      const log = await readLog(flow, brokers);
      const { width } = signatureShape(flow, schemas);
      const { decisions, policies, faults } = replayLog(flow, width, log);
      const { predictions, examples } = log;
      const made = `${decisions} decisions of ${predictions.length} predictions, ${policies} policies folded from ${examples.length} examples`;
      if (faults.length === 0) return void process.stdout.write(`${made}: all came out the same, bit for bit.\n`);
      const shown = faults.slice(0, mostShown).map((fault) => `\n  ${fault}`);
      throw new SluiceError('SLUICE_REPLAY_DIFFERS', `${made}: ${faults.length} predictions came out otherwise${shown.join('')}`);
    });
}

async function readLog(flow: Flow, brokers: string): Promise<DecisionLog> {
  const bus = kafkaBus({ brokers: brokers.split(','), clientId: 'sluice-replay' });
  try {
    return await decisionLog(bus, flow);
  } finally {
    await bus.close();
  }
}

async function decisionLog(bus: Pick<Bus, 'readAll'>, { flow }: Flow): Promise<DecisionLog> {
  const topics = topicsOf(flow);
  const predictions = await bus.readAll([topics.predictions]);
  if (predictions.length === 0) throw new SluiceError('SLUICE_DATA_MISSING', `topic ${topics.predictions} holds no predictions`);
  const examples = await bus.readAll([topics.examples]);
  return {
    predictions: predictions.map(({ value }) => decodePrediction(value!)),
    examples: examples.map(({ value }) => decodeExample(value!)),
  };
}

/** Decisions of a running flow that come out otherwise when they are made again, in words, the first few. */
export async function replayFindings(bus: Pick<Bus, 'readAll'>, { flow, schemas }: FlowFiles): Promise<readonly string[]> {
  const { faults } = replayLog(flow, signatureShape(flow, schemas).width, await decisionLog(bus, flow));
  return faults.slice(0, mostShown);
}

/** Policies are not read but made again: `sluice.policy` is compacted and forgets, the examples do not. */
export function replayLog(flow: Flow, signatureWidth: number, { predictions, examples }: DecisionLog): Replayed {
  const versions = new Set(predictions.flatMap(({ trail }) => trail.map(({ policyVersion }) => policyVersion as number)));
  const costs = predictions[0]?.slip.tiers.map(({ cost }) => cost);
  const policies = policiesAt(flow, examples, { versions, signatureWidth, ...(costs && { costs }) });
  const first = initialPolicy(flow);
  policies.set(first.version, first);
  const faults = decisionFaults({ flow, signatureWidth, policies }, predictions);
  return { decisions: predictions.reduce((sum, { trail }) => sum + trail.length, 0), policies: policies.size, faults };
}

/** Predictions that come out otherwise when their decisions are made again under the policies they cite: id and first difference, in words. */
export function decisionFaults(by: Omit<Replay, 'prediction'>, predictions: readonly Prediction[]): string[] {
  return predictions.flatMap((prediction) => {
    const fault = replayTrail({ ...by, prediction });
    return fault === undefined ? [] : [`${prediction.id}: ${fault}`];
  });
}

import { policyTopic, readPolicies } from '@sluice/contracts';
import type { Flow, PolicySnapshot } from '@sluice/domain';
import { policyFault, signatureShape } from '@sluice/routing';
import type { LearnerStats } from '@sluice/learning';
import type { Bus, Pipe, PipeSpec } from '@sluice/streaming';
import { GatherProcessor } from './gather.ts';
import { openJoin } from './join.ts';
import { LearnProcessor } from './learn.ts';
import { feedbackTopology } from './topology.ts';

export interface FeedbackOptions {
  readonly bus: Bus;
  readonly flow: Flow;
  readonly schemas: readonly object[];
  /** Cost of each tier relative to heavy. */
  readonly costs: readonly number[];
  /** Folder for the join's store. */
  readonly stateDir: string;
  /** Feedback is not on the user's path: longer slices cost nothing but a later lesson. */
  readonly lingerMs?: number;
}

export interface Feedback {
  readonly pipes: readonly Pipe[];
  readonly stages: Readonly<Record<'learn' | 'join' | 'gather', Pipe>>;
  /** The learner in figures; undefined while another process learns. */
  learner(): LearnerStats | undefined;
  close(): Promise<void>;
}

/** Wires gather, join and learn of one flow. */
export async function startFeedback(options: FeedbackOptions): Promise<Feedback> {
  const { bus, flow, schemas, costs, stateDir } = options;
  const topology = feedbackTopology(flow);
  const { width } = signatureShape(flow, schemas);
  const pipe = (stage: 'gather' | 'join' | 'learn', processor: PipeSpec['processor']) =>
    bus.openPipe({
      group: topology[stage].group,
      topics: topology[stage].in,
      delivery: flow.delivery,
      maxSlice: 1000,
      lingerMs: options.lingerMs ?? 100,
      deadLetters: topology.deadLetters,
      processor,
    });
  let learner: LearnProcessor | undefined;
  const learn = await pipe('learn', async () => {
    learner = new LearnProcessor(flow, { signatureWidth: width, costs, last: await lastPolicy(bus, flow, width) });
    return learner;
  });
  const join = await pipe('join', (partition) => openJoin({ bus, flow, stateDir, partition: partition.partition }));
  const gather = await pipe('gather', () => new GatherProcessor(flow));
  const pipes = [learn, join, gather];
  return {
    pipes,
    stages: { learn, join, gather },
    learner: () => learner?.stats,
    async close() {
      for (const open of pipes.toReversed()) await open.close();
    },
  };
}

/**
 * The snapshot published in the transaction that committed the last examples: exactly the state to go on from. One that the learner cannot have
 * published is passed over, unless there is none but of an earlier signature: then at least its version goes on.
 */
async function lastPolicy(bus: Bus, flow: Flow, signatureWidth: number): Promise<PolicySnapshot | undefined> {
  const own = readPolicies(await bus.readAll([policyTopic]), flow.flow);
  return own.findLast((policy) => policyFault(flow, signatureWidth, policy) === undefined) ?? own.at(-1);
}

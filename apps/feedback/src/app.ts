import { decodePolicy, policyTopic } from '@sluice/contracts';
import type { Flow, PolicySnapshot } from '@sluice/domain';
import { signatureShape } from '@sluice/routing';
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
    learner = new LearnProcessor(flow, { signatureWidth: width, costs, last: await lastPolicy(bus, flow) });
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

/** The snapshot published in the transaction that committed the last examples: exactly the state to go on from. */
async function lastPolicy(bus: Bus, flow: Flow): Promise<PolicySnapshot | undefined> {
  const records = await bus.readAll([policyTopic]);
  const own = records.filter(({ key, value }) => key?.toString() === flow.flow && value !== null);
  const last = own.at(-1);
  return last === undefined ? undefined : decodePolicy(last.value!);
}

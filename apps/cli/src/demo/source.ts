import { defaultStateDir } from '@sluice/broker';
import {
  demoFlowFile,
  offlineAnswers,
  openDataset,
  regressionOf,
  requestStream,
  shippedModels,
  withPoison,
  type StreamItem,
} from '@sluice/demo';
import { drilledLabel, type EventId, type WrongAnswers } from '@sluice/domain';
import type { FlowFiles } from '@sluice/service';
import type { DemoOptions } from './options.ts';

export const modelsDir = shippedModels;
export const stateDir = defaultStateDir();
export const flowFile = demoFlowFile;

/** What every tier alone would have answered to an event, and what was true: label indices. */
export interface Alternatives {
  readonly truth: number;
  /** Cheapest tier first. */
  readonly answers: readonly number[];
}

/** Where the demo's events come from, and what only the demo knows of them. */
export interface Source {
  readonly origin: string;
  readonly note: string;
  /** Passes over the data; above 1 messages come again with new ids. */
  readonly repeats: number;
  /** Drills by tier name. */
  readonly drills: ReadonlyMap<string, WrongAnswers>;
  requests(): Generator<StreamItem, void, undefined>;
  /** Runs all tiers over the events that were streamed, outside the serving path. */
  alternatives(ids: ReadonlySet<EventId>): Promise<ReadonlyMap<EventId, Alternatives>>;
}

/** Opens data set and stream of a run. @throws SluiceError SLUICE_DATA_MISSING */
export function openSource(options: DemoOptions, { flow, schemas }: FlowFiles): Source {
  const { seed, events, poison: count, drift } = options;
  const dataset = openDataset({ flow, schemas, data: options.data });
  const stream = requestStream(flow, dataset, { seed, events, blocks: drift === 'blocks' });
  const drills = new Map(drift === 'regression' ? [[flow.tiers[0]!.name, regressionOf(events, seed)] as const] : []);
  return {
    origin: dataset.origin,
    note: stream.note,
    repeats: (events ?? stream.distinct) / stream.distinct,
    drills,
    requests: () => withPoison(stream.items(), { flow, schema: schemas[0]!, count, seed, events }),
    async alternatives(ids) {
      const streamed = new Map<EventId, StreamItem>();
      for (const item of stream.items()) {
        if (streamed.size >= ids.size) break;
        if (item.id !== undefined && ids.has(item.id)) streamed.set(item.id, item);
      }
      const samples = [...streamed.values()].map(({ sample }) => sample!);
      const offline = await offlineAnswers({ flow, schemas, dataset, models: modelsDir, samples });
      const answersOf = (id: EventId, sample: number): number[] =>
        offline.answers.map((answers, tier) => {
          const drill = drills.get(offline.tiers[tier]!);
          return drill === undefined ? answers[sample]! : drilledLabel(id, answers[sample]!, { drill, labels: flow.labels.length });
        });
      return new Map(
        [...streamed].map(([id, item]) => [id, { truth: flow.labels.indexOf(item.truth!), answers: answersOf(id, item.sample!) }]),
      );
    },
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, isClean, passJudgement, type Judgement } from '@sluice/broker';
import { topicsOf, topicSpecs } from '@sluice/contracts';
import { demoFlowFile, openDataset, Random, requestStream, shippedModels, withPoison } from '@sluice/demo';
import { SluiceError } from '@sluice/domain';
import { loadFlow, systemClock, type FlowFiles } from '@sluice/service';
import { kafkaBus, type Bus, type Publisher } from '@sluice/streaming';
import { Collector } from '../demo/collector.ts';
import { DemoStream } from '../demo/stream.ts';
import { writeFlowDocument } from '../system/flow-document.ts';
import { childSpecs } from '../system/processes.ts';
import type { Cell } from './cells.ts';
import { Fleet } from './fleet.ts';
import { Recovery } from './recovery.ts';
import { killAt, type Scene } from './scene.ts';

export interface CellOptions {
  readonly events: number;
  readonly rate: number;
  readonly seed: number;
  readonly onStep: (text: string) => void;
}

export interface CellResult extends Judgement {
  readonly cell: string;
  readonly seed: number;
  readonly events: number;
  readonly injected: readonly string[];
  /** Dead letters and drops by code. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly restarts: number;
  /** Milliseconds from a fault to the first answer to a request that came after it. */
  readonly recoveryMs: { readonly p50: number; readonly max: number };
  readonly longestSilenceMs: number;
  readonly withinMs: number;
  readonly seconds: number;
  /** Nothing lost, doubled, out of order or unexplained, and progress within the stated time. */
  readonly passed: boolean;
  /** What the judge found, the first few. */
  readonly findings: readonly string[];
}

const settleMs = 4_000;
const patienceMs = 120_000;

/** Runs the mail system on brokers of its own through one cell; the judge is Kafka's own consumer. */
export async function runCell(cell: Cell, options: CellOptions): Promise<CellResult> {
  const began = performance.now();
  const runDir = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
  const cluster = await Cluster.open({ brokers: cell.brokers, onStep: options.onStep });
  // The test's own client goes past the proxies: what it sends and reads is the truth, not the patient.
  const bus = kafkaBus({ brokers: cluster.brokers.split(','), clientId: 'sluice-chaos' });
  const fleet = new Fleet();
  try {
    const files = await chaosFlow(runDir);
    await bus.ensureTopics(topicSpecs(files.flow));
    const stage = new Stage({ cell, options, files, cluster, bus, fleet, runDir });
    await stage.play();
    await fleet.close();
    const verdict = await stage.verdict();
    return { ...stage.result(verdict), seconds: Math.round((performance.now() - began) / 1000) };
  } finally {
    await fleet.abandon();
    await bus.close().catch(() => undefined);
    await cluster.close();
    await rm(runDir, { recursive: true, force: true });
  }
}

/** The mail flow on two partitions, so that two members of a group have something to share. */
async function chaosFlow(runDir: string): Promise<FlowFiles> {
  const demo = await loadFlow(demoFlowFile('mail'));
  const request = { ...demo.flow.request, partitions: 2 };
  return writeFlowDocument(runDir, { ...demo, flow: { ...demo.flow, request } });
}

interface StageParts {
  readonly cell: Cell;
  readonly options: CellOptions;
  readonly files: FlowFiles;
  readonly cluster: Cluster;
  readonly bus: Bus;
  readonly fleet: Fleet;
  readonly runDir: string;
}

/** One cell while it plays: the apps, the stream, the faults, and who writes down what happens. */
class Stage {
  readonly #parts: StageParts;
  readonly #collector: Collector;
  readonly #recovery = new Recovery();
  #stream: DemoStream | undefined;

  constructor(parts: StageParts) {
    this.#parts = parts;
    this.#collector = new Collector(parts.files.flow.flow, systemClock);
  }

  async play(): Promise<void> {
    const { bus, cell, fleet, options } = this.#parts;
    await bus.openReader({
      topics: this.#collector.topics,
      from: 'end',
      onRecords: (records) => {
        this.#collector.add(records);
        this.#recovery.add(records, Date.now());
      },
    });
    const publisher = await bus.openPublisher();
    const scene = this.#scene();
    await cell.before?.(scene);
    for (const spec of this.#specs()) fleet.add(spec);
    for (const name of fleet.names) await fleet.ready(name);
    options.onStep(`${cell.name}: ${cell.says}`);
    this.#stream = this.#newStream(persistent(publisher));
    const disturbed = cell.disturb?.(scene) ?? Promise.resolve();
    await Promise.race([this.#stream.run(), disturbed.then(() => new Promise<never>(() => undefined))]);
    await within(disturbed, patienceMs, `the stream of cell ${cell.name} ended and not all faults could be injected`);
    await this.#settled();
    await publisher.close();
  }

  verdict(): Promise<Judgement> {
    const { cluster, bus, files } = this.#parts;
    const { flow } = files;
    return passJudgement({ broker: cluster.handle, bus, topics: topicsOf(flow.flow), models: flow.tiers.map(({ model }) => model) });
  }

  result(verdict: Judgement): Omit<CellResult, 'seconds'> {
    const { cell, options, fleet } = this.#parts;
    const { times, faults, longestSilenceMs } = this.#recovery;
    const withinMs = cell.withinSeconds * 1_000;
    const worst = Math.max(longestSilenceMs, times.at(-1) ?? 0);
    return {
      ...verdict,
      cell: cell.name,
      seed: options.seed,
      events: options.events,
      injected: faults.map(({ what }) => what),
      findings: verdict.faults,
      refusals: Object.fromEntries(this.#collector.seen.deadLetters),
      restarts: fleet.restarts,
      recoveryMs: { p50: times[times.length >> 1] ?? 0, max: times.at(-1) ?? 0 },
      longestSilenceMs,
      withinMs,
      passed: isClean(verdict) && verdict.requests >= options.events && worst <= withinMs,
    };
  }

  #specs() {
    const { files, runDir, cluster } = this.#parts;
    return childSpecs({ files, models: shippedModels, runDir, drills: new Map(), onStep: () => undefined }, cluster.proxied);
  }

  #scene(): Scene {
    const { cluster, fleet, runDir, options } = this.#parts;
    const random = new Random(options.seed, 'chaos');
    return {
      cluster,
      fleet,
      runDir,
      random: () => random.uniform(),
      spec: (name) => this.#spec(name),
      at: async (share) => {
        while ((this.#stream?.published ?? 0) < share * options.events) await sleep(20);
      },
      fault: (what) => {
        this.#recovery.fault(what, Date.now());
        options.onStep(`  ${what}`);
      },
      killAt: (name, moment) => killAt({ cluster, fleet }, name, moment),
    };
  }

  /** `router-2` is started as `router` is, under a name, a log and a state folder of its own. */
  #spec(name: string) {
    const base = this.#specs().find((one) => name === one.name || name.startsWith(`${one.name}-`));
    if (base === undefined) throw new Error(`no app is called ${name}`);
    return { ...base, name, log: join(this.#parts.runDir, `${name}.log`) };
  }

  #newStream(publisher: Publisher): DemoStream {
    const { files, options, cell } = this.#parts;
    const { flow, schemas } = files;
    const { events, seed, rate } = options;
    const count = Math.round((cell.poison ?? 0) * events);
    const good = requestStream(flow, openDataset({ flow, schemas }), { seed, events: events - count });
    return new DemoStream({
      flow,
      requests: withPoison(good.items(), { flow, schema: schemas[0]!, count, seed, events: events - count }),
      publisher,
      clock: systemClock,
      rate,
      // In an outage the stream waits too, so that every fault meets a stream that is on its way.
      maxWaiting: rate,
      answered: () => this.#collector.answered,
      signal: new AbortController().signal,
    });
  }

  /** Every request seems answered and nothing more comes: then the judge may count. */
  async #settled(): Promise<void> {
    const published = this.#stream!.published;
    await this.#collector.until(() => this.#collector.answered >= published, patienceMs);
    for (let before = -1; before !== this.#collector.answered;) {
      before = this.#collector.answered;
      await sleep(settleMs);
    }
  }
}

/** @throws SluiceError SLUICE_JUDGE_FAILED when `promise` takes longer. */
async function within(promise: Promise<void>, ms: number, otherwise: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SluiceError('SLUICE_JUDGE_FAILED', otherwise)), ms);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A producer that does not give up while brokers come and go. What it sends twice the router declares as dropped. */
function persistent(publisher: Publisher): Publisher {
  return {
    async publish(records) {
      for (let tries = 1; ; tries++) {
        try {
          return await publisher.publish(records);
        } catch (cause) {
          if (tries === 60) throw new SluiceError('SLUICE_BROKER_UNREACHABLE', 'the producer of the cell could not publish', { cause });
          await sleep(500);
        }
      }
    },
    close: () => publisher.close(),
  };
}

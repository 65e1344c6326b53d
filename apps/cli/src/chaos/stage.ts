import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { passJudgement, readWithJava, type Cluster, type JudgeRecord, type Judgement } from '@sluice/broker';
import { topicsOf } from '@sluice/contracts';
import { openDataset, Random, requestStream, shippedModels, withPoison } from '@sluice/demo';
import { SluiceError } from '@sluice/domain';
import { feedbackTopology } from '@sluice/feedback';
import { inferenceTopology } from '@sluice/inference';
import { routerTopology } from '@sluice/router';
import { systemClock, type FlowFiles } from '@sluice/service';
import { kafkaBus, type Bus } from '@sluice/streaming';
import { Collector } from '../demo/collector.ts';
import { DemoStream } from '../demo/stream.ts';
import { childSpecs } from '../system/processes.ts';
import type { Cell } from './cells/cell.ts';
import type { Fleet } from './fleet.ts';
import { CellProducer } from './producer.ts';
import { Recovery } from './recovery.ts';
import { MemoryWatch } from './memory.ts';
import { killAt, type Scene } from './scene.ts';
import { added } from './verdicts.ts';

export interface CellOptions {
  readonly events: number;
  readonly rate: number;
  readonly seed: number;
  readonly onStep: (text: string) => void;
}

interface StageParts {
  readonly cell: Cell;
  readonly options: CellOptions;
  readonly files: FlowFiles;
  readonly cluster: Cluster;
  readonly bus: Bus;
  readonly fleet: Fleet;
  readonly runDir: string;
  readonly defer: (undo: () => Promise<void>) => void;
}

const patienceMs = 120_000;

/** One cell while it plays: the apps, the stream, the faults, and who writes down what happens. */
export class Stage {
  readonly recovery = new Recovery();
  readonly collector: Collector;
  readonly memory = new MemoryWatch();
  readonly #parts: StageParts;
  readonly #random: Random;
  readonly #producer: CellProducer;
  readonly #chapters: Judgement[] = [];
  readonly #remembered: JudgeRecord[] = [];
  #since = 0;
  #stream: DemoStream | undefined;

  constructor(parts: StageParts) {
    this.#parts = parts;
    this.#random = new Random(parts.options.seed, 'chaos');
    const brokers = parts.cluster.brokers.split(',');
    this.#producer = new CellProducer(() => kafkaBus({ brokers, clientId: 'sluice-chaos-producer' }));
    this.collector = new Collector(parts.files.flow.flow, systemClock);
  }

  async play(): Promise<void> {
    const { bus, cell, fleet, options, defer } = this.#parts;
    defer(() => this.#producer.close());
    await bus.openReader({
      topics: this.collector.topics,
      from: 'end',
      onRecords: (records) => {
        this.collector.add(records);
        this.recovery.add(records, Date.now());
      },
    });
    const scene = this.#scene();
    await cell.before?.(scene);
    for (const spec of this.#specs()) fleet.add(spec);
    for (const name of fleet.names) await fleet.ready(name);
    options.onStep(`${cell.name}: ${cell.says}`);
    const publisher = cell.producer?.(this.#producer, scene.random) ?? this.#producer;
    this.#stream = this.#newStream(publisher);
    const watch = setInterval(() => this.memory.note(fleet.resident(), this.#stream!.published / options.events), 250);
    defer(async () => clearInterval(watch));
    const disturbed = cell.disturb?.(scene) ?? Promise.resolve();
    await Promise.race([this.#stream.run(), disturbed.then(() => new Promise<never>(() => undefined))]);
    await within(disturbed, patienceMs, `the stream of cell ${cell.name} ended and not all faults could be injected`);
    await publisher.close();
    await this.#settled();
  }

  async verdict(): Promise<Judgement> {
    const { cluster, bus, files } = this.#parts;
    const { flow, tiers } = files.flow;
    const said = await passJudgement({
      ...{ broker: cluster.handle, bus, topics: topicsOf(flow), models: tiers.map(({ model }) => model) },
      ...{ remembered: this.#remembered, since: this.#since },
    });
    return [...this.#chapters, said].reduce(added);
  }

  #specs() {
    const { cell, files, runDir, cluster } = this.#parts;
    const specs = childSpecs({ files, models: shippedModels, runDir, drills: new Map(), onStep: () => undefined }, cluster.proxied);
    return specs.map((spec) => ({ ...spec, ...(cell.env && { env: cell.env(spec.name) }) }));
  }

  #scene(): Scene {
    const { cluster, fleet, runDir, options, bus, files, defer } = this.#parts;
    return {
      ...{ cluster, fleet, runDir, bus, defer, flow: files.flow, topics: topicsOf(files.flow.flow), producer: this.#producer },
      events: options.events,
      random: () => this.#random.uniform(),
      spec: (name) => this.#spec(name),
      at: async (share) => {
        while ((this.#stream?.published ?? 0) < share * options.events) await sleep(20);
      },
      fault: (what) => {
        this.recovery.fault(what, Date.now());
        options.onStep(`  ${what}`);
      },
      remember: () => this.#remember(),
      chapter: () => this.#chapter(),
      killAt: (name, moment) => killAt({ cluster, fleet }, name, moment),
    };
  }

  /** `router-2` is started as `router` is, under a name, a log and a state folder of its own. */
  #spec(name: string) {
    const base = this.#specs().find((one) => name === one.name || name.startsWith(`${one.name}-`));
    if (base === undefined) throw new Error(`no app is called ${name}`);
    return { ...base, name, log: join(this.#parts.runDir, `${name}.log`) };
  }

  #newStream(publisher: ConstructorParameters<typeof DemoStream>[0]['publisher']): DemoStream {
    const { files, options, cell } = this.#parts;
    const { flow, schemas } = files;
    const { events, seed, rate } = options;
    const demo = { ...flow, flow: 'mail' };
    const count = Math.round((cell.poison ?? 0) * events);
    const good = requestStream(flow, openDataset({ flow: demo, schemas }), { seed, events: events - count });
    return new DemoStream({
      flow,
      requests: withPoison(good.items(), { flow: demo, schema: schemas[0]!, count, seed, events: events - count }),
      publisher,
      clock: systemClock,
      rate,
      // In an outage the stream waits too, so that every fault meets a stream that is on its way.
      maxWaiting: cell.keepsPace === true ? Infinity : rate,
      answered: () => this.collector.answered,
      signal: new AbortController().signal,
    });
  }

  async #remember(): Promise<readonly JudgeRecord[]> {
    const { cluster, files } = this.#parts;
    const requests = await readWithJava({ handle: cluster.handle, topic: topicsOf(files.flow.flow).requests });
    this.#remembered.push(...requests);
    return requests;
  }

  async #chapter(): Promise<void> {
    await this.#settled();
    this.#chapters.push(await this.verdict());
    this.#since = Date.now();
  }

  /** Every request is answered and every app has committed all there is: nothing can come any more, and the judge may count. */
  async #settled(): Promise<void> {
    const { bus, files, cell } = this.#parts;
    const { flow } = files;
    await this.collector.until(() => this.collector.answered >= this.#stream!.published, patienceMs);
    const { gather, join: joining, learn } = feedbackTopology(flow);
    const stages = [routerTopology(flow), ...flow.tiers.map((tier) => inferenceTopology(flow, tier)), gather, joining, learn];
    const end = performance.now() + patienceMs;
    // Twice in a row: the stages are looked at one after the other, and a worker may feed one that was at rest.
    for (let rests = 0; rests < 2;) {
      let lag = 0;
      for (const stage of stages) lag += await bus.lag(stage.group, stage.in);
      rests = lag === 0 ? rests + 1 : 0;
      if (performance.now() > end) throw new SluiceError('SLUICE_JUDGE_FAILED', `cell ${cell.name}: ${lag} records are left uncommitted`);
      if (lag > 0) await sleep(100);
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

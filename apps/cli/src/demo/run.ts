import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBroker, type BrokerHandle } from '@sluice/broker';
import { topicsOf, topicSpecs } from '@sluice/contracts';
import { strayOutcomes } from '@sluice/demo';
import { parseFlow, SluiceError } from '@sluice/domain';
import { exitCodes, loadFlow, onStopSignals, systemClock, type FlowFiles } from '@sluice/service';
import { kafkaBus, memoryBus, type Bus, type Publisher } from '@sluice/streaming';
import { writeFlowDocument } from '../system/flow-document.ts';
import { startInProcess } from '../system/in-process.ts';
import { startProcesses } from '../system/processes.ts';
import type { System } from '../system/system.ts';
import { Closers } from './closers.ts';
import { Collector } from './collector.ts';
import { makeReport } from './conclude.ts';
import type { DemoOptions } from './options.ts';
import { flowFile, modelsDir, openSource, stateDir, type Source } from './source.ts';
import { isClean, type Report } from './report.ts';
import { Steps } from './steps.ts';
import { DemoStream } from './stream.ts';
import { printSummary } from './summary.ts';
import { LiveView, renderFrame } from './view.ts';

/** Everything that is open while the demo runs, closed in reverse order however it ends. */
export interface Stage {
  readonly options: DemoOptions;
  readonly files: FlowFiles;
  readonly source: Source;
  readonly broker: BrokerHandle;
  readonly bus: Bus;
  readonly system: System;
  readonly steps: Steps;
  readonly collector: Collector;
}

/** `npm start`: brings the system up, streams events through it, and says what came of it. */
export async function runDemo(options: DemoOptions): Promise<void> {
  if (options.report !== undefined && options.events === undefined) {
    throw new SluiceError('SLUICE_CONFIG_INVALID', '--report needs --events: a report is written when the stream ends');
  }
  const interrupt = new AbortController();
  const stopListening = onStopSignals(process, { drain: () => interrupt.abort(), endNow: () => process.exit(exitCodes.interrupted) });
  const runDir = join(stateDir, 'runs', `demo-${process.pid}`);
  const closers = new Closers();
  try {
    if (!options.keep) closers.defer(() => rm(runDir, { recursive: true, force: true }));
    await mkdir(runDir, { recursive: true });
    const stage = await setUp(options, runDir, closers);
    const stream = await streamThrough(stage, interrupt.signal);
    await drain(stage, stream);
    const report = await makeReport(stage, stream);
    await finish(options, stage, report);
  } finally {
    await closers.closeAll();
    stopListening();
  }
}

async function setUp(options: DemoOptions, runDir: string, closers: Closers): Promise<Stage> {
  const out = process.stdout;
  out.write(`Sluice: flow ${options.flow}\n`);
  const steps = new Steps(out);
  steps.seconds['dependencies'] = Number(process.env['SLUICE_INSTALL_SECONDS'] ?? 0);
  const files = await writeFlowDocument(runDir, withOptions(await loadFlow(flowFile(options.flow)), options));
  const source = await steps.run('data and models', async () => openSource(options, files));
  steps.note(source.origin);
  steps.note(source.note);
  const broker = await steps.run('broker', () =>
    openBroker({
      ...(options.broker !== undefined && { choice: options.broker }),
      ...(options.brokers !== undefined && { brokers: options.brokers }),
      stateDir,
      onStep: (text) => steps.note(text),
      keep: options.keep,
    }),
  );
  closers.defer(() => broker.close());
  for (const reason of broker.why) steps.note(reason);
  const bus =
    broker.brokers === undefined ? memoryBus({ live: true }) : kafkaBus({ brokers: broker.brokers.split(','), clientId: 'sluice-demo' });
  closers.defer(() => bus.close());
  await steps.run('topics', () => bus.ensureTopics(topicSpecs(files.flow)));
  const collector = new Collector(files.flow.flow, systemClock);
  await bus.openReader({ topics: collector.topics, from: 'end', onRecords: (records) => collector.add(records) });
  const spec = { files, models: modelsDir, runDir, drills: source.drills, onStep: (text: string) => steps.note(text) };
  const system = await steps.run('router, inference, feedback', (): Promise<System> =>
    broker.brokers === undefined ? startInProcess(spec, bus) : startProcesses(spec, broker.brokers),
  );
  closers.defer(() => system.close());
  for (const [tier, why] of Object.entries(system.backends())) steps.note(`${tier} runs on ${why}`);
  return { options, files, source, broker, bus, system, steps, collector };
}

/** The flow with the options of this run in it, validated like any flow file. */
function withOptions(files: FlowFiles, options: DemoOptions): FlowFiles {
  const { flow } = files;
  const changed = {
    ...flow,
    request: { ...flow.request, partitions: options.partitions },
    target: { ...flow.target, ...(options.targetLoss !== undefined && { maxLoss: options.targetLoss }) },
    controller: { ...flow.controller, enabled: flow.controller.enabled && !options.staticThreshold },
  };
  return { ...files, flow: parseFlow(changed, 'the flow with the options of this run') };
}

async function streamThrough(stage: Stage, signal: AbortSignal): Promise<DemoStream> {
  const { options, files, source, broker, bus, collector, system } = stage;
  const publisher = await bus.openPublisher();
  await publishStrays(stage, publisher);
  const stream = new DemoStream({
    flow: files.flow,
    requests: source.requests(),
    publisher,
    clock: systemClock,
    rate: options.rate,
    // A paced stream is the outside world: it does not wait for anybody.
    maxWaiting: options.rate === Infinity ? 2000 : Infinity,
    answered: () => collector.answered,
    signal,
  });
  const started = performance.now();
  const view = new LiveView(process.stdout);
  const total = (options.events ?? Infinity) + options.poison;
  const draw = (): void => {
    const elapsedSeconds = (performance.now() - started) / 1000;
    view.show(renderFrame(files.flow, collector, { published: stream.published, total, elapsedSeconds }), elapsedSeconds);
  };
  const timer = setInterval(draw, 250);
  const failed = Promise.race([system.failed, broker.failed.then((error) => Promise.reject(error))]);
  try {
    await Promise.race([stream.run(), failed]);
    const answeredAll = await Promise.race([collector.until(() => collector.answered >= stream.published, 60_000), failed]);
    draw();
    if (!answeredAll) process.stderr.write(`${stream.published - collector.answered} requests had no answer after 60 s\n`);
  } finally {
    clearInterval(timer);
    await publisher.close();
  }
  return stream;
}

/** With poison come outcomes that nobody can use, one for ten malformed requests. */
async function publishStrays({ options, files }: Stage, publisher: Publisher): Promise<void> {
  const strays = strayOutcomes(files.flow, Math.ceil(options.poison / 10), systemClock.now());
  if (strays.length === 0) return;
  await publisher.publish(strays.map(({ key, value }) => ({ topic: topicsOf(files.flow.flow).outcomes, key, value })));
}

/** Waits until feedback has learned from every outcome, so that the report counts them: the policy stands still. */
async function drain({ collector }: Stage, stream: DemoStream): Promise<void> {
  if (stream.outcomesPublished === 0) return;
  const quietMs = 1500;
  let version = -1;
  let since = systemClock.now();
  await collector.until(() => {
    const latest = collector.seen.latestPolicy?.version ?? 0;
    if (latest !== version) since = systemClock.now();
    version = latest;
    return systemClock.now() - since > quietMs;
  }, 30_000);
}

async function finish(options: DemoOptions, stage: Stage, report: Report): Promise<void> {
  printSummary(process.stdout, stage, report);
  if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
  if (!isClean(report)) process.exitCode = 1;
}

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isClean, type Judgement } from '@sluice/broker';
import { topicSpecs } from '@sluice/contracts';
import { demoFlowFile } from '@sluice/demo';
import { loadFlow, type FlowFiles } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import { writeFlowDocument } from '../system/flow-document.ts';
import type { Arena } from './arena.ts';
import type { Cell } from './cells/cell.ts';
import { replayFindings } from '../replay.ts';
import { Fleet } from './fleet.ts';
import { joinFindings } from './join-findings.ts';
import type { Peaks } from './memory.ts';
import { Stage, type CellOptions } from './stage.ts';

export interface CellResult extends Judgement {
  readonly cell: string;
  readonly seed: number;
  readonly events: number;
  readonly injected: readonly string[];
  /** Dead letters and drops by code. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly peakMb: Readonly<Record<string, Peaks>>;
  /** Milliseconds from a fault to the first answer to a request that came after it. */
  readonly recoveryMs: { readonly p50: number; readonly max: number };
  /** Latency of requests published before the first fault and after it. */
  readonly p99Ms: { readonly calm: number; readonly troubled: number };
  readonly longestSilenceMs: number;
  readonly withinMs: number;
  readonly seconds: number;
  /** Nothing lost, doubled, out of order or unexplained, progress within the stated time, and the fault did what it is there for. */
  readonly passed: boolean;
  /** What the judge found, the first few. */
  readonly findings: readonly string[];
}

/** Runs the mail system through one cell on the brokers of the arena; the judge is Kafka's own consumer. */
export async function runCell(cell: Cell, arena: Arena, options: CellOptions): Promise<CellResult> {
  const began = performance.now();
  const runDir = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
  const cluster = await arena.enter(cell.brokers);
  // The test's own client goes past the proxies: what it sends and reads is the truth, not the patient.
  const bus = kafkaBus({ brokers: cluster.brokers.split(','), clientId: 'sluice-chaos' });
  const fleet = new Fleet();
  const undo: (() => Promise<void>)[] = [];
  let passed = false;
  try {
    const files = await flowOf(cell, runDir);
    await bus.ensureTopics(topicSpecs(files.flow));
    const stage = new Stage({ cell, options, files, cluster, bus, fleet, runDir, defer: (step) => void undo.push(step) });
    await stage.play();
    await fleet.close();
    const verdict = await stage.verdict();
    const joined = cell.joins === true ? await joinFindings(bus, files.flow) : [];
    const replayed = cell.replays === true ? await replayFindings(bus, files) : [];
    const result = resultOf({ cell, options, stage, verdict, found: [...joined, ...replayed], restarts: fleet.restarts });
    passed = result.passed;
    return { ...result, seconds: Math.round((performance.now() - began) / 1000) };
  } finally {
    await fleet.abandon();
    for (const step of undo.reverse()) await step().catch(() => undefined);
    await bus.close().catch(() => undefined);
    // What a failed cell left behind is nothing for the next one.
    if (!passed) await arena.close();
    await rm(runDir, { recursive: true, force: true });
  }
}

/** The mail flow under a name of its own, on two partitions, so that two members of a group have something to share. */
async function flowOf(cell: Cell, runDir: string): Promise<FlowFiles> {
  const demo = await loadFlow(demoFlowFile('mail'));
  const flow = {
    ...demo.flow,
    flow: `mail-${cell.name}-${randomBytes(2).toString('hex')}`,
    request: { ...demo.flow.request, partitions: 2 },
  };
  return writeFlowDocument(runDir, { ...demo, flow: cell.flow?.(flow) ?? flow });
}

interface Played {
  readonly cell: Cell;
  readonly options: CellOptions;
  readonly stage: Stage;
  readonly verdict: Judgement;
  /** By whoever looked at more than counts. */
  readonly found: readonly string[];
  readonly restarts: number;
}

function resultOf({ cell, options, stage, verdict, found, restarts }: Played): Omit<CellResult, 'seconds'> {
  const { times, faults, longestSilenceMs, latencies } = stage.recovery;
  const withinMs = cell.withinSeconds * 1_000;
  const worst = Math.max(longestSilenceMs, times.at(-1) ?? 0);
  const refusals = Object.fromEntries(stage.collector.seen.deadLetters);
  const met = cell.met?.({ ...verdict, restarts, refusals }) ?? true;
  const grown = cell.memory === true ? stage.memory.findings : [];
  const findings = [...verdict.faults, ...found, ...grown, ...(met ? [] : ['the fault of this cell did nothing'])];
  return {
    ...verdict,
    cell: cell.name,
    seed: options.seed,
    events: options.events,
    injected: faults.map(({ what }) => what),
    findings,
    refusals,
    restarts,
    peakMb: stage.memory.peaks,
    recoveryMs: { p50: times[times.length >> 1] ?? 0, max: times.at(-1) ?? 0 },
    p99Ms: { calm: p99(latencies.calm), troubled: p99(latencies.troubled) },
    longestSilenceMs,
    withinMs,
    passed: isClean(verdict) && findings.length === 0 && verdict.requests >= options.events && worst <= withinMs,
  };
}

function p99(latencies: readonly number[]): number {
  return [...latencies].sort((a, b) => a - b)[Math.floor(0.99 * latencies.length)] ?? 0;
}

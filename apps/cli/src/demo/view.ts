import type { Flow } from '@sluice/domain';
import type { Collector } from './collector.ts';
import { percentile } from './percentiles.ts';

/** What a frame of the live view shows. */
export interface Frame {
  readonly published: number;
  readonly total: number;
  readonly elapsedSeconds: number;
}

const bars = '▏▎▍▌▋▊▉█';

/** The state of the stream as lines of text, the same for a terminal and for a log. */
export function renderFrame(flow: Flow, collector: Collector, frame: Frame): readonly string[] {
  const { seen } = collector;
  const final = new Map<string, number>();
  let cost = 0;
  for (const prediction of seen.predictions.values()) {
    final.set(prediction.tier, (final.get(prediction.tier) ?? 0) + 1);
    cost += prediction.cost;
  }
  const served = Math.max(1, seen.predictions.size);
  const recent = seen.latencies.slice(-2000);
  const tiers = flow.tiers.map(({ name }) => tierLine(name, (final.get(name) ?? 0) / served));
  const policy = seen.latestPolicy;
  const certificate = policy?.certificate ?? undefined;
  const learner = collector.learner(flow);
  return [
    `${flow.flow}  ${seen.predictions.size} predictions of ${frame.published} requests (${frame.total} to come in all)  ${frame.elapsedSeconds.toFixed(0)} s`,
    ...tiers,
    `  cost ${percent(cost / served)} of always-heavy   threshold ${policy === undefined ? '-' : policy.threshold.toPrecision(3)}${policy?.heavyOnly === true ? ` (heavy only: ${policy.reason})` : ''}   policy v${policy?.version ?? 0}`,
    `  waiting ${frame.published - collector.answered}   p50 ${percentile(recent, 0.5).toFixed(0)} ms   p99 ${percentile(recent, 0.99).toFixed(0)} ms   refused ${seen.refused}   dropped ${seen.dropped}   audited ${seen.shadow.audits}`,
    `  loss ${certificate === undefined ? 'not certified yet' : `${percent(certificate.estimate)}, certified ${percent(certificate.lower)} to ${percent(certificate.upper)} over ${certificate.events} events`}   alarms ${learner?.alarms ?? 0}   broken ${learner?.broken ?? 0}   shifts ${learner?.shifts ?? 0}`,
  ];
}

function tierLine(name: string, part: number): string {
  const eighths = Math.round(part * 24 * 8);
  const bar = '█'.repeat(Math.floor(eighths / 8)) + (eighths % 8 > 0 ? bars[(eighths % 8) - 1]! : '');
  return `  ${name.padEnd(10)} ${bar.padEnd(24)} ${percent(part).padStart(6)}`;
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

/** Redraws in place on a terminal; elsewhere prints one line a frame, at most every five seconds. */
export class LiveView {
  readonly #out: NodeJS.WriteStream;
  #lines = 0;
  #lastPlain = -Infinity;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(lines: readonly string[], elapsedSeconds: number): void {
    if (!this.#out.isTTY) {
      if (elapsedSeconds - this.#lastPlain < 5) return;
      this.#lastPlain = elapsedSeconds;
      this.#out.write(`${lines.map((line) => line.trim()).join(' | ')}\n`);
      return;
    }
    const up = this.#lines > 0 ? `\x1b[${this.#lines}A` : '';
    this.#out.write(`${up}${lines.map((line) => `\x1b[2K${line}`).join('\n')}\n`);
    this.#lines = lines.length;
  }

  /** Leaves the last frame where it is. */
  release(): void {
    this.#lines = 0;
  }
}

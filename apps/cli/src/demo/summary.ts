import type { Prediction } from '@sluice/domain';
import { signatureShape, explain, renderExplanation } from '@sluice/routing';
import { isClean, type Report } from './report.ts';
import type { Stage } from './run.ts';
import { percent } from './view.ts';

/** The end of a run for people: what came of it, one decision in words, and what to do next. */
export function printSummary(out: NodeJS.WriteStream, stage: Stage, report: Report): void {
  const { accuracy, cost, loss, latencyMs, threshold, alarms, ece, offPolicy } = report;
  const lines = [
    '',
    `${report.events} requests: ${report.predictions} predictions, ${report.deadLetters} dead letters, ${report.drops} declared drops (${report.broker.kind} broker, ${report.broker.version})`,
    `lost ${report.lost}, duplicated ${report.duplicated}, out of order ${report.orderViolations}, unexplained ${report.unexplained}; counted by ${report.judge}`,
    `cost      ${percent(cost.served)} of always-heavy, audits ${percent(cost.audits)} of it`,
    `accuracy  served ${percent(accuracy.served)}, always-heavy ${percent(accuracy.alwaysHeavy)}, always-fast ${percent(accuracy.alwaysFast)}`,
    `loss      ${percent(loss.realised)} against a target of ${percent(loss.target)}; stated excess for this many events: bound ${percent(loss.bound)}, sampling ${percent(loss.sampling)}`,
    `threshold ${threshold.start.toPrecision(3)} -> ${threshold.end.toPrecision(3)} in ${threshold.updates} updates`,
    `certified ${certified(report)}; alarms: disagreement ${alarms.disagreement}, loss ${alarms.loss}, signature ${alarms.signature}`,
    `ece       ${Object.entries(ece)
      .map(([tier, { before, after }]) => `${tier} ${percent(before)} -> ${percent(after)}`)
      .join(', ')} by online calibration`,
    `hindsight threshold ${threshold.end.toPrecision(3)} from the start: loss ${said(offPolicy.loss.dr)}, cost ${said(offPolicy.cost.dr)}${offPolicy.doubts.length > 0 ? ` (doubtful: ${offPolicy.doubts.join('; ')})` : ''}`,
    `speed     ${report.throughputPerSecond.toFixed(0)} events/s, latency p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms; set-up ${report.setupSeconds} s`,
    '',
    ...explained(stage),
    '',
    'Next:',
    '  npm start -- --events 20000 --drift regression --report report.json   a tier goes silently wrong: watch the threshold',
    '  npm start -- --flow images --data DIR                                 three networks on images in IDX layout',
    '  npm test                                                              the proofs, on a real broker',
    '',
  ];
  out.write(`${lines.join('\n')}\n`);
  if (!isClean(report)) out.write('This run was not clean; the exit code says so.\n');
}

function certified({ certificate }: Report): string {
  return certificate === null
    ? 'nothing yet'
    : `loss ${said({ ...certificate, value: certificate.estimate })} over ${certificate.events} events`;
}

function said({ value, lower, upper }: { readonly value: number; readonly lower: number; readonly upper: number }): string {
  return `${percent(value)} (${percent(lower)} to ${percent(upper)})`;
}

/** One decision worth reading: an event that went on to another tier, else any. */
function explained({ files, collector }: Stage): readonly string[] {
  const predictions = [...collector.seen.predictions.values()];
  const subject = predictions.findLast(wentOn) ?? predictions.at(-1);
  if (subject === undefined) return [];
  const policy = collector.seen.policies.get(subject.trail.at(-1)!.policyVersion);
  const { names } = signatureShape(files.flow, files.schemas);
  return [
    'One decision in words:',
    `  ${renderExplanation(explain(subject, { flow: files.flow, signatureNames: names, ...(policy && { policy }) }))}`,
  ];
}

function wentOn({ trail, slip }: Prediction): boolean {
  return !slip.heavyOnly && trail.some(({ kind }) => kind === 'escalate');
}

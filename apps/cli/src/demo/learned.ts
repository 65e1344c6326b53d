import { decodeExample, topicsOf } from '@sluice/contracts';
import type { Flow, PolicySnapshot } from '@sluice/domain';
import { Learner, type Estimate, type LearnerStats, type PolicyValue } from '@sluice/learning';
import { signatureShape, initialPolicy } from '@sluice/routing';
import { parseCandidate, valueOnLog } from '../value/candidate.ts';
import type { Report } from './report.ts';
import type { Stage } from './run.ts';
import { round } from './steps.ts';

type Learned = Pick<Report, 'outcomesJoined' | 'certificate' | 'alarms' | 'ece' | 'offPolicy'>;

/** What the learner that published the last policy knows, and what that policy's threshold would have done from the start. */
export async function learned({ files, bus, collector }: Stage, costs: readonly number[]): Promise<Learned> {
  const { flow, schemas } = files;
  const { latestPolicy: latest, policies } = collector.seen;
  const stats = learnerStats(flow, latest);
  const examples = (await bus.readAll([topicsOf(flow.flow).examples])).map(({ value }) => decodeExample(value!));
  const log = { flow, signatureWidth: signatureShape(flow, schemas).width, costs, examples, policies: [...policies.values()] };
  const { threshold } = latest ?? initialPolicy(flow);
  return {
    outcomesJoined: stats?.truths ?? 0,
    certificate: latest?.certificate ? certified(latest.certificate) : null,
    alarms: { disagreement: stats?.alarms ?? 0, loss: stats?.broken ?? 0, signature: stats?.shifts ?? 0 },
    ece: Object.fromEntries(flow.tiers.map(({ name }, tier) => [name, calibration(stats?.confidence[tier])])),
    offPolicy: { candidate: { threshold }, ...valued(valueOnLog(log, parseCandidate({ threshold }))) },
  };
}

/** The figures of the learner that published a snapshot; undefined before it has published any. */
export function learnerStats(flow: Flow, latest: PolicySnapshot | undefined): LearnerStats | undefined {
  return latest === undefined || latest.version === 0 ? undefined : Learner.restore(flow, latest).stats;
}

function certified({ events, estimate, lower, upper }: NonNullable<PolicySnapshot['certificate']>): NonNullable<Report['certificate']> {
  return { events, estimate: round(estimate, 5), lower: round(lower, 5), upper: round(upper, 5) };
}

function calibration(error: LearnerStats['confidence'][number] | undefined): Report['ece'][string] {
  return { answers: error?.events ?? 0, before: round(error?.before ?? 0, 4), after: round(error?.after ?? 0, 4) };
}

function valued({ events, known, effectiveSamples, loss, cost, doubts }: PolicyValue): Omit<Report['offPolicy'], 'candidate'> {
  const all = ({ ips, snips, dr }: PolicyValue['loss']) => ({ ips: rounded(ips), snips: rounded(snips), dr: rounded(dr) });
  return { events, known, effectiveSamples: round(effectiveSamples, 1), loss: all(loss), cost: all(cost), doubts: [...doubts] };
}

function rounded({ value, lower, upper }: Estimate): Estimate {
  return { value: round(value, 5), lower: round(lower, 5), upper: round(upper, 5) };
}

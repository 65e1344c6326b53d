import type { Flow } from '@sluice/domain';
import type { LearnerStats } from '@sluice/learning';
import { observePipes, type Metrics } from '@sluice/service';
import type { Feedback } from './app.ts';

const table: readonly (readonly [string, string, (stats: LearnerStats) => number])[] = [
  ['sluice_learner_examples_total', 'Examples folded: the version of the policy.', ({ folded }) => folded],
  ['sluice_learner_decisions_total', 'Served events folded.', ({ decisions }) => decisions],
  ['sluice_learner_light_served_total', 'Of these, served by a tier below heavy.', ({ lightServed }) => lightServed],
  ['sluice_learner_shadows_total', 'Events whose answers of all tiers were compared.', ({ shadows }) => shadows],
  ['sluice_learner_truths_total', 'Outcomes folded.', ({ truths }) => truths],
  ['sluice_learner_unlabelled_total', 'Events whose outcome never came.', ({ unlabelled }) => unlabelled],
  ['sluice_learner_alarms_total', 'Alarms of the watch on disagreement.', ({ alarms }) => alarms],
  ['sluice_learner_shifts_total', 'Alarms of the watch on signatures: what is asked has changed.', ({ shifts }) => shifts],
  ['sluice_learner_broken_total', 'Certificates that proved a loss above the declared one.', ({ broken }) => broken],
  ['sluice_learner_threshold_ratio', 'Stop threshold tau.', ({ threshold }) => threshold],
  ['sluice_learner_heavy_only', '1 while only the heavy tier may serve.', ({ heavyOnly }) => (heavyOnly ? 1 : 0)],
  ['sluice_learner_audit_ratio', 'Mean probability of an audit.', ({ auditRate }) => auditRate],
  [
    'sluice_learner_estimated_loss_events',
    'Doubly robust estimate of the events lost against always-heavy.',
    ({ estimatedLoss }) => estimatedLoss,
  ],
];

type SegmentStats = LearnerStats['segments'][number];

/** One series a segment with an account: at most `target.segments.most`, and one for all others. */
const segmentTable: readonly (readonly [string, string, (stats: SegmentStats) => number])[] = [
  ['sluice_learner_segment_events_total', 'Served events folded, by segment.', ({ events }) => events],
  [
    'sluice_learner_segment_estimated_loss_events',
    'Doubly robust estimate of the events lost against always-heavy, by segment.',
    ({ estimatedLoss }) => estimatedLoss,
  ],
  [
    'sluice_learner_segment_theta',
    'What may still be lost in the segment, as the logarithm of a threshold: at -9.21 and below heavy alone serves it.',
    ({ theta }) => theta,
  ],
];

/** What feedback shows on /metrics. */
export function observeFeedback(metrics: Metrics, feedback: Feedback, flow: Flow): void {
  observePipes(metrics, feedback.stages);
  const name = 'sluice_learner_calibration_error_ratio';
  const help = "Expected calibration error of a tier's confidences, before and after calibration.";
  metrics.observe({ name, help, labels: ['tier', 'stage'] }, () =>
    (feedback.learner()?.confidence ?? []).flatMap(({ before, after }, index) => {
      const tier = flow.tiers[index]!.name;
      return [
        { labels: { tier, stage: 'before' }, value: before },
        { labels: { tier, stage: 'after' }, value: after },
      ];
    }),
  );
  for (const [name, help, read] of table) {
    metrics.observe({ name, help }, () => {
      const stats = feedback.learner();
      return stats === undefined ? [] : [{ value: read(stats) }];
    });
  }
  for (const [name, help, read] of segmentTable) {
    metrics.observe({ name, help, labels: ['segment'] }, () =>
      (feedback.learner()?.segments ?? []).map((stats) => ({ labels: { segment: stats.segment }, value: read(stats) })),
    );
  }
}

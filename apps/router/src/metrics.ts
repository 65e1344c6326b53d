import type { Clock } from '@sluice/domain';
import { observePipes, observePolicy, type Metrics } from '@sluice/service';
import type { Router } from './app.ts';

/** What the router shows on /metrics. */
export function observeRouter(metrics: Metrics, { pipe, retries, routed, policy, lead }: Router, clock: Clock): void {
  observePipes(metrics, { router: pipe, ...(retries && { retry: retries }) });
  observePolicy(metrics, policy, clock);
  metrics.observe(
    {
      name: 'sluice_router_requests_total',
      help: 'Requests by first tier and kind of decision, or by the code of their refusal.',
      labels: ['tier', 'decision', 'code'],
    },
    () => routed.samples(),
  );
  metrics.observe({ name: 'sluice_router_policy_version', help: 'Version of the policy that decides now.' }, () => [
    { value: policy.version },
  ]);
  metrics.observe(
    { name: 'sluice_router_lead_requests', help: 'Requests decided beyond the newest that the learner had heard of.' },
    () => [{ value: lead.requests }],
  );
}

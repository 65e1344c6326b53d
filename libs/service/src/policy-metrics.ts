import type { Clock, EpochMs, PolicySnapshot } from '@sluice/domain';
import type { Metrics } from './metrics.ts';

/** What guards the policy of a process; `PolicyGuard` of the routing lib has it. */
export interface PolicyFigures {
  readonly refused: number;
  age(now: EpochMs): number;
  inForce(now: EpochMs): Pick<PolicySnapshot, 'heavyOnly'>;
}

/** Registers how old the policy of a process is, and what came of snapshots that it could not believe. */
export function observePolicy(metrics: Metrics, policy: PolicyFigures, clock: Clock): void {
  metrics.observe({ name: 'sluice_policy_refused_total', help: 'Snapshots that were refused; the last good one was kept.' }, () => [
    { value: policy.refused },
  ]);
  metrics.observe({ name: 'sluice_policy_age_seconds', help: 'Time since the policy was published; 0 before the first.' }, () => [
    { value: policy.age(clock.now()) / 1000 },
  ]);
  metrics.observe(
    { name: 'sluice_policy_heavy_only', help: '1 while only the heavy tier may serve: warm-up, safe end, or a lease that ran out.' },
    () => [{ value: policy.inForce(clock.now()).heavyOnly ? 1 : 0 }],
  );
}

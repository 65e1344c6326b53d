import type { Flow, Head, Panel, PolicySnapshot } from '@sluice/domain';
import { headWidth } from './heads.ts';

/** ln of the largest factor that a segment's threshold may lie away from the flow's; ln tau itself goes from 0 to -700. */
const widestOffset = 700;

/**
 * Why a snapshot must not decide about the flow's events; undefined when it may. Only what decisions read is looked at: the learner's
 * state is its own concern.
 * @param signatureWidth columns of the flow's signature.
 */
export function policyFault(flow: Flow, signatureWidth: number, policy: PolicySnapshot): string | undefined {
  const { version, threshold, auditRate } = policy;
  if (policy.flow !== flow.flow) return `it is of flow ${policy.flow}`;
  if (!Number.isSafeInteger(version) || version < 0) return `its version is ${version}`;
  if (!(threshold > 0 && threshold < Infinity)) return `its threshold is ${threshold}`;
  if (!(auditRate > 0 && auditRate <= 1)) return `its audit rate is ${auditRate}`;
  if (policy.budgetLeft !== null && !Number.isFinite(policy.budgetLeft.left)) return `its budget has ${policy.budgetLeft.left} left`;
  const lost = policy.segments.find(({ offset }) => !(Math.abs(offset) <= widestOffset));
  if (lost !== undefined) return `its segment ${lost.segment} has the offset ${lost.offset}`;
  for (const head of policy.heads) {
    const fault = headFault(flow, signatureWidth, head);
    if (fault !== undefined) return fault;
  }
  for (const panel of policy.panels) {
    const fault = panelFault(flow, panel);
    if (fault !== undefined) return fault;
  }
  const names = policy.heads.map(({ tier, stage }) => `${stage} head of tier ${tier}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice && `it has the ${twice} twice`;
}

function headFault(flow: Flow, signatureWidth: number, { tier, stage, weights }: Head): string | undefined {
  if (!flow.tiers.slice(0, -1).some(({ name }) => name === tier)) return `it has a head of tier ${tier}, which the flow does not judge`;
  const width = headWidth(signatureWidth, flow.labels.length, stage);
  if (weights.length !== width) return `its ${stage} head of tier ${tier} has ${weights.length} weights instead of ${width}`;
  return weights.every(Number.isFinite) ? undefined : `its ${stage} head of tier ${tier} has a weight that is no finite number`;
}

function panelFault(flow: Flow, { tiers, votes, harm, risks, gains }: Panel): string | undefined {
  const stranger = tiers.find((tier) => !flow.tiers.some(({ name }) => name === tier));
  if (stranger !== undefined) return `it has a panel with tier ${stranger}, which the flow does not have`;
  const sound = [votes, harm, gains, ...risks].every((weights) => weights.every(Number.isFinite));
  return sound ? undefined : `its panel of tiers ${tiers.join(', ')} has a weight that is no finite number`;
}

/**
 * The pure decision library: signature, rules, pre-route, stop rule, audit draw, slip and their explanation. No I/O, no clock.
 *
 * @example
 * const signature = compileSignature(flow, schemas);
 * const { row } = signature.read({ value, schema: 0, start: 10, now, requestedAt, deadlineAt });
 * const { slip, step } = route({ id, flow, policy, costs, queuePrices, signature: row, signatureWidth: signature.width, now });
 * // ... the tier runs, then in the worker:
 * const decision = afterAnswer({ flow, signatureWidth: signature.width, tag, policy, answer, now });
 * decision.kind; // 'stop' | 'escalate'
 */
export {
  harmFloor,
  headLogit,
  headOf,
  headRow,
  headWidth,
  logit,
  priorHarm,
  scoreHead,
  sigmoid,
  stopColumnNames,
  stopColumns,
} from './heads.ts';
export {
  auditDraw,
  auditFloor,
  auditProbability,
  auditReferenceHarm,
  auditSpread,
  warmUpPatience,
  slipAuditRate,
  staticEvents,
  warmUp,
  type Audit,
} from './audit.ts';
export { bars, type Bar } from './eligibility.ts';
export { route, type RouteDecision, type RouteInput } from './route.ts';
export { afterAnswer, type Escalate, type Stop, type StopInput } from './stop.ts';
export { fallBack, fallBackLate, type Fallback, type FallbackInput } from './fallback.ts';
export { isFailure, type Failure } from './failure.ts';
export { escalatedTag, servedPrediction, shadowTags } from './leg.ts';
export {
  ballotsOf,
  fuse,
  isLossFirst,
  panelRow,
  panelWidth,
  surenessAt,
  votesWidth,
  type Ballot,
  type Fused,
  type PanelShape,
} from './panel.ts';
export { answerTime, queuePrice, type QueuePriceInput, type WorkerLoad } from './queue-price.ts';
export { replayTrail, type Replay } from './replay.ts';
export { initialPolicy, stale, startThreshold } from './policy.ts';
export { policyFault } from './policy-check.ts';
export { Lead } from './lead.ts';
export { PolicyGuard, type PolicyGuardOptions, type PolicyRecord } from './policy-guard.ts';
export { parseCondition } from './rules/parse.ts';
export { printExpression, type Expression } from './rules/syntax.ts';
export type { Envelopes } from './envelope.ts';
export {
  biasColumn,
  compileSignature,
  loadColumns,
  signatureShape,
  type Signature,
  type SignatureFacts,
  type SignatureInput,
  type SignatureReading,
} from './signature.ts';
export { BudgetLedger } from './budget-ledger.ts';
export { compileRules, type RuleHit, type RuleRequest, type Rules } from './rules/rules.ts';
export { explain, renderExplanation, type ExplainedStep, type Explanation } from './explain.ts';
export type { ExplainContext } from './telling.ts';

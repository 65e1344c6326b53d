import type { Judgement } from '@sluice/broker';

/** The account of two chapters of one run. */
export function added(a: Judgement, b: Judgement): Judgement {
  return {
    by: b.by,
    requests: a.requests + b.requests,
    predictions: a.predictions + b.predictions,
    deadLetters: a.deadLetters + b.deadLetters,
    redriven: a.redriven + b.redriven,
    drops: a.drops + b.drops,
    expired: a.expired + b.expired,
    lost: a.lost + b.lost,
    duplicated: a.duplicated + b.duplicated,
    orderViolations: a.orderViolations + b.orderViolations,
    unexplained: a.unexplained + b.unexplained,
    otherDeadLetters: a.otherDeadLetters + b.otherDeadLetters,
    faults: [...a.faults, ...b.faults],
  };
}

import type { Tag } from '@sluice/domain';
import fc from 'fast-check';
import { auditFloor } from './audit.ts';
import { BudgetLedger } from './budget-ledger.ts';
import { spentOn } from './eligibility.ts';
import { fallBack } from './fallback.ts';
import { escalatedTag, servedPrediction, shadowTags } from './leg.ts';
import { route } from './route.ts';
import { afterAnswer } from './stop.ts';
import { sampleAnswer, sampleFlow, samplePolicy, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

const flow = sampleFlow();
const costs = [0.05, 0.25, 1];
const most = 1.3;
const auditRate = 0.2;
const floor = 0.05 + auditFloor(auditRate) * 1.25;

describe('a budget ledger', () => {
  const filled = (left: number, events: number) => {
    const ledger = new BudgetLedger(costs);
    ledger.settle({ left, events }, auditRate);
    return ledger;
  };

  it('leaves an event free while all that it may cost is there, and then grants what is left beyond the floor', () => {
    const ledger = filled(10 * floor + 1.5, 10);
    expect(ledger.reserve(0.9, auditRate)).toBeNull();
    // 1.5 - (1.3 - floor) is left, and the cheapest tier is always granted.
    expect(ledger.reserve(0.9, auditRate)).toBeCloseTo(0.05 + 0.2 + floor, 12);
    // Only what the floor had kept for the audit of the event before.
    expect(ledger.reserve(0.9, auditRate)).toBeCloseTo(floor, 12);
  });

  it('grants the cheapest tier even when nothing is left', () => {
    expect(filled(-5, 100).reserve(0.9, auditRate)).toBe(0.05);
  });

  it('sets aside the audits of those that are drawn whatever their harm', () => {
    const [drawn, not] = [filled(10 * floor + 1, 10), filled(10 * floor + 1, 10)];
    expect(drawn.reserve(0.09, auditRate)).toBe(not.reserve(0.11, auditRate));
    expect(drawn.reserve(0.9, auditRate)!).toBeLessThan(not.reserve(0.9, auditRate)!);
  });

  it('takes back what a slice reserved that was not committed', () => {
    const ledger = filled(10 * floor + 1.5, 10);
    ledger.reserve(0.9, auditRate);
    ledger.rollback();
    expect(ledger.reserve(0.9, auditRate)).toBeNull();
    ledger.commit();
    ledger.rollback();
    expect(ledger.reserve(0.9, auditRate)).not.toBeNull();
  });
});

const window = 60;

/** What happened so far, by plain counting. */
interface Books {
  readonly budget: number;
  routed: number;
  /** Of events whose predictions were counted. */
  settled: number;
  settledEvents: number;
  /** On their way, with what they have cost so far and what was reserved for them. */
  flying: { tag: Tag; reserved: number; owed: number; cost: number; done: boolean }[];
  /** Most that events on their way had reserved when a ledger began again without knowing of them. */
  forgotten: number;
  /** Cost of audits that were drawn while the budget was short. */
  audits: number;
  /** Beyond what was reserved, of settled events. */
  owed: number;
}

interface Parts {
  ledger: BudgetLedger;
  /** As last published. */
  left: { left: number; events: number };
}

type Step = fc.Command<Books, Parts>;

const policies = [0.004, 0.1, 0.9].map((harm) =>
  samplePolicy({ fast: [harm, harm], standard: [harm / 3, harm / 3] }, { auditRate, threshold: 0.02 }),
);

function routed(draw: number, hardness: number): Step {
  return {
    check: ({ routed: count }) => count < window,
    run(books, { ledger }) {
      const budget = ledger.reserve(draw, auditRate);
      const input = sampleRoute(policies[hardness]!, { flow, costs, budget });
      const tag = sampleTag(input, route(input));
      const audited = budget !== null && draw < auditFloor(auditRate);
      if (audited) books.audits += most - budget;
      const reserved = budget === null || audited ? most : budget;
      books.flying.push({ tag: { ...tag, slip: { ...tag.slip, auditDraw: draw } }, reserved, owed: 0, cost: 0, done: false });
      books.routed++;
      ledger.commit();
      expectWithin(books);
    },
    toString: () => `route(${draw}, ${hardness})`,
  };
}

/** The tier that an event waits for answers, or its model fails. */
function answered(pick: number, fails: boolean, hardness: number): Step {
  return {
    check: ({ flying }) => flying.some(({ done }) => !done),
    run(books) {
      const open = books.flying.filter(({ done }) => !done);
      const event = open[pick % open.length]!;
      const { tag } = event;
      const { tiers, position, budget } = tag.slip;
      if (fails) {
        const next = fallBack({ flow, tag, failure: 'SLUICE_MODEL_FAILED', policyVersion: 7, now: 1_000_001 })?.tag;
        if (next === undefined) event.done = true;
        else {
          const spent = spentOn(next.slip, next.answers) + next.slip.tiers[next.slip.position]!.cost;
          // No tier that is left is paid for, yet an answer is owed: the cheapest that is left gives it.
          if (budget !== null && spent > budget + 1e-9) {
            expect(next.slip.position).toBe(position + 1);
            event.owed += next.slip.tiers[position + 1]!.cost;
          }
          event.tag = next;
        }
      } else {
        const answer = sampleAnswer(tiers[position]!.tier);
        const decision = afterAnswer({ flow, signatureWidth, tag, policy: policies[hardness]!, answer, now: 1_000_001 });
        event.cost = decision.cost;
        if (decision.kind === 'escalate') event.tag = escalatedTag(tag, answer, decision);
        else {
          for (const shadow of shadowTags(tag, decision)) event.cost += tiers[shadow.slip.position]!.cost;
          expect(servedPrediction(flow, { tag, answer, decision }).audit.probability).toBeGreaterThan(0);
          event.done = true;
        }
      }
      expectWithin(books);
    },
    toString: () => `${fails ? 'fail' : 'answer'}(${pick}, ${hardness})`,
  };
}

const settle: Step = {
  check: () => true,
  run(books, parts) {
    for (const { cost, owed } of books.flying.filter(({ done }) => done)) {
      books.settled += cost;
      books.owed += owed;
      books.settledEvents++;
    }
    books.flying = books.flying.filter(({ done }) => !done);
    forget(books);
    parts.left = { left: books.budget - books.settled, events: window - books.settledEvents };
    parts.ledger.settle(parts.left, auditRate);
  },
  toString: () => 'settle',
};

const restart: Step = {
  check: () => true,
  run(books, parts) {
    forget(books);
    parts.ledger = new BudgetLedger(costs);
    parts.ledger.settle(parts.left, auditRate);
  },
  toString: () => 'restart',
};

const abort: Step = {
  check: () => true,
  run(_, { ledger }) {
    for (let i = 0; i < 5; i++) ledger.reserve(0.5, auditRate);
    ledger.rollback();
  },
  toString: () => 'abort',
};

function forget(books: Books): void {
  const unknown = books.flying.reduce((sum, { reserved }) => sum + reserved, 0);
  books.forgotten = Math.max(books.forgotten, unknown);
}

function expectWithin(books: Books): void {
  const over = books.flying.filter(({ cost, reserved, owed }) => cost > reserved + owed + 1e-6);
  expect(over).toEqual([]);
  const committed = books.flying.reduce((sum, { reserved }) => sum + reserved, books.settled);
  expect(committed).toBeLessThanOrEqual(books.budget + books.forgotten + books.audits + books.owed + 1e-6);
}

const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const hard = fc.nat(2);
const oneRoute = fc.tuple(draws, hard).map(([draw, hardness]) => routed(draw, hardness));
const oneAnswer = fc.tuple(fc.nat(), hard, fc.nat(4)).map(([pick, hardness, luck]) => answered(pick, luck === 0, hardness));
// Most steps bring events on; what makes a ledger forget is rare, as it is in life.
const steps = [
  ...Array.from({ length: 12 }, () => oneRoute),
  ...Array.from({ length: 12 }, () => oneAnswer),
  ...[settle, settle, restart, abort].map((step) => fc.constant(step)),
];

it('is overspent by at most what is in flight, over any sequence of routes, answers, failures, settlements and restarts', () => {
  fc.assert(
    fc.property(
      fc.double({ min: floor, max: 0.5, noNaN: true }),
      fc.commands(steps, { maxCommands: 200, size: 'max' }),
      (perEvent, sequence) => {
        const budget = perEvent * window;
        fc.modelRun(() => {
          const ledger = new BudgetLedger(costs);
          const left = { left: budget, events: window };
          ledger.settle(left, auditRate);
          const model: Books = { budget, routed: 0, settled: 0, settledEvents: 0, flying: [], forgotten: 0, audits: 0, owed: 0 };
          return { model, real: { ledger, left } };
        }, sequence);
      },
    ),
    { numRuns: 150 },
  );
});

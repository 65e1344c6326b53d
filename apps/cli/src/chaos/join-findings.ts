import { decodeExample, decodeOutcome, header, headerText, readDeadLetter, sourceText, topicsOf } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';
import { readFact, type Fact } from '@sluice/learning';
import { batchJoin, toldOf, type Told } from '@sluice/learning/testing';
import type { Bus, InRecord } from '@sluice/streaming';

const mostFindings = 5;

/** What the join of a flow told, held against the join of its whole log at once. @returns the differences in words, the first few */
export async function joinFindings(bus: Pick<Bus, 'readAll'>, flow: Flow): Promise<string[]> {
  const topics = topicsOf(flow.flow);
  const facts = new Map<number, Fact[]>();
  for (const record of await bus.readAll([topics.facts])) {
    const log = facts.get(record.partition);
    if (log === undefined) facts.set(record.partition, [factOf(record)]);
    else log.push(factOf(record));
  }
  const wanted = [...facts.values()].flatMap((log) => batchJoin(flow, log));
  const loggedAt = new Map(
    [...facts.values()].flat().flatMap((fact) => (fact.kind === 'outcome' ? [[fact.origin, fact.loggedAt] as const] : [])),
  );
  const examples = (await bus.readAll([topics.examples])).map(({ value }) => toldOf(flow, decodeExample(value!)));
  const letters = (await bus.readAll([topics.deadLetters])).flatMap((record) => unmatchedOf(record, flow, loggedAt));
  return differences(wanted, [...examples, ...letters]);
}

function factOf(record: InRecord): Fact {
  return readFact({
    kind: headerText(record.headers, header.fact),
    value: record.value!,
    timestamp: record.timestamp,
    origin: headerText(record.headers, header.origin) ?? sourceText(record),
  });
}

/** An outcome without its prediction, at the time it is believed to be of. */
function unmatchedOf(record: InRecord, flow: Flow, loggedAt: ReadonlyMap<string, number>): Told[] {
  if (readDeadLetter(record).code !== 'SLUICE_OUTCOME_UNMATCHED') return [];
  const { id, at } = decodeOutcome(record.value!);
  const latest = (loggedAt.get(headerText(record.headers, header.origin)!) ?? Infinity) + flow.feedback.graceMs;
  return [`unmatched ${id}@${Math.min(at, latest)}`];
}

function differences(wanted: readonly Told[], told: readonly Told[]): string[] {
  const counts = new Map<Told, number>();
  for (const one of wanted) counts.set(one, (counts.get(one) ?? 0) + 1);
  for (const one of told) counts.set(one, (counts.get(one) ?? 0) - 1);
  const wrong = [...counts].filter(([, count]) => count !== 0);
  return wrong.slice(0, mostFindings).map(([one, count]) => `the join ${count > 0 ? 'did not tell' : 'told, and should not have,'} ${one}`);
}

import { decodeOutcome, encodeOutcome } from '@sluice/contracts';
import type { Publisher } from '@sluice/streaming';

type Records = Parameters<Publisher['publish']>[0];
type One = Records[number];

const hour = 3_600_000;
/** Outcomes that come this many later ones after their turn: behind window and grace of the cell. */
const held = 600;

/**
 * A producer of outcomes as bad as they come: of ten, one is sent twice, one an hour too old, one an hour ahead, two long after their
 * window; and each batch is out of order. Requests pass untouched.
 */
export function troubledOutcomes(publisher: Publisher, random: () => number): Publisher {
  const late: { readonly record: One; readonly due: number }[] = [];
  let count = 0;
  const trouble = (record: One): One[] => {
    count++;
    const dice = random();
    if (dice < 0.1) return [record, record];
    if (dice < 0.2) return [shifted(record, -hour)];
    if (dice < 0.3) return [shifted(record, hour)];
    if (dice < 0.5) late.push({ record, due: count + held });
    return dice < 0.5 ? [] : [record];
  };
  const due = (all: boolean): One[] => {
    const ready = late.filter((one) => all || one.due <= count);
    late.splice(0, late.length, ...late.filter((one) => !ready.includes(one)));
    return ready.map(({ record }) => record);
  };
  return {
    async publish(records) {
      if (!records[0]?.topic.endsWith('.outcomes')) return publisher.publish(records);
      const all = [...records.flatMap(trouble), ...due(false)].map((record) => ({ record, at: random() }));
      await publisher.publish(all.sort((a, b) => a.at - b.at).map(({ record }) => record));
    },
    async close() {
      await publisher.publish(due(true));
      await publisher.close();
    },
  };
}

function shifted(record: One, by: number): One {
  const outcome = decodeOutcome(record.value!);
  return { ...record, value: encodeOutcome({ ...outcome, at: outcome.at + by }) };
}

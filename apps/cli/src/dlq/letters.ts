import { header, headerText, readDeadLetter, sourceText, topicsOf } from '@sluice/contracts';
import type { DeadLetter } from '@sluice/domain';
import type { Bus, InRecord } from '@sluice/streaming';

/** A record of a dead-letter topic and why it is there. */
export interface Letter extends DeadLetter {
  /** Where the dead letter itself stands: topic/partition/offset. */
  readonly place: string;
  /** Where the request stood that it derives from. */
  readonly origin: string;
  readonly record: InRecord;
}

export interface LetterFilter {
  readonly code?: string;
  readonly stage?: string;
  /** Milliseconds since the epoch of the dead letter; `until` is exclusive. */
  readonly since?: number;
  readonly until?: number;
}

/** The dead letters of a flow that pass the filter, oldest first. */
export async function readLetters(bus: Pick<Bus, 'readAll'>, flow: string, filter: LetterFilter = {}): Promise<Letter[]> {
  const records = await bus.readAll([topicsOf(flow).deadLetters]);
  const letters = records.map((record): Letter => ({
    ...readDeadLetter(record),
    place: sourceText(record),
    origin: headerText(record.headers, header.origin) ?? '',
    record,
  }));
  return letters.filter((letter) => passes(letter, filter)).sort((a, b) => a.record.timestamp - b.record.timestamp);
}

function passes({ code, stage, record }: Letter, filter: LetterFilter): boolean {
  return (
    (filter.code === undefined || code === filter.code) &&
    (filter.stage === undefined || stage === filter.stage) &&
    record.timestamp >= (filter.since ?? -Infinity) &&
    record.timestamp < (filter.until ?? Infinity)
  );
}

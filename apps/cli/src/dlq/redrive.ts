import { header, headerText, parseTopic, topicsOf } from '@sluice/contracts';
import type { Bus, Headers, OutRecord } from '@sluice/streaming';
import { readLetters, type Letter, type LetterFilter } from './letters.ts';

export interface Redriven {
  readonly sent: readonly Letter[];
  /** Letters of an earlier redrive. */
  readonly before: number;
  /** Declared drops, and letters that hold no single record: nothing to send again. */
  readonly left: number;
}

/** Letters in one transaction. */
const batch = 200;

/**
 * Sends the records of dead letters back to the topics they were refused from. A marker on `<flow>.redriven` is written in the transaction
 * that sends the record, under a transactional id of the flow: a second redrive fences the first, then reads the markers, so no letter is
 * sent twice, whenever the first was stopped.
 */
export async function redrive(bus: Bus, flow: string, filter: LetterFilter): Promise<Redriven> {
  const publisher = await bus.openPublisher(`${flow}-redrive`);
  try {
    const marked = new Set((await bus.readAll([topicsOf(flow).redriven])).map(({ key }) => String(key)));
    const letters = await readLetters(bus, flow, filter);
    const fresh = letters.filter(({ place }) => !marked.has(place));
    const sent = fresh.filter(isRedrivable);
    for (let at = 0; at < sent.length; at += batch) {
      const some = sent.slice(at, at + batch);
      await publisher.publish([...some.map(again), ...some.map((letter) => markerOf(flow, letter))]);
    }
    return { sent, before: letters.length - fresh.length, left: fresh.length - sent.length };
  } finally {
    await publisher.close();
  }
}

const isRedrivable = ({ class: kind, code }: Letter): boolean => kind === 'reject' && code !== 'SLUICE_BATCH_DAMAGED';

type Sent = Omit<OutRecord, 'from' | 'lane'>;

/** The record as it was refused. A request that had no id of its own keeps the one it got from its first place. */
function again({ record, source, origin }: Letter): Sent {
  const { [header.deadLetter]: _, [header.class]: __, [header.source]: ___, ...kept } = record.headers;
  const first = headerText(record.headers, header.redriven) ?? origin;
  const id = parseTopic(source.topic)?.kind === 'requests' && kept[header.ceId] === undefined ? { [header.ceId]: first } : {};
  const headers: Headers = { ...kept, ...id, [header.redriven]: first, [header.redrives]: String(redrivesOf(record.headers) + 1) };
  return { topic: source.topic, partition: source.partition, key: record.key, value: record.value, headers };
}

function redrivesOf(headers: Headers): number {
  return Number(headerText(headers, header.redrives) ?? 0);
}

function markerOf(flow: string, { place }: Letter): Sent {
  return { topic: topicsOf(flow).redriven, key: Buffer.from(place), value: Buffer.from(new Date().toISOString()) };
}

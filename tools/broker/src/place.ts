/** Headers that the judge reads. Written out here, not imported: the judge shares nothing with what it judges. */
export const headerNames = {
  ...{ source: 'sluice-source', origin: 'sluice-origin', class: 'sluice-class', until: 'sluice-until' },
  redriven: 'sluice-redriven',
} as const;

/** The coordinates of a record. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly text: string;
}

/** Reads `topic/partition/offset` from a header; undefined when there is none or it has another form. */
export function readPlace(header: Buffer | undefined): Place | undefined {
  if (header === undefined) return undefined;
  const text = header.toString();
  const last = text.lastIndexOf('/');
  const middle = text.lastIndexOf('/', last - 1);
  const [partition, offset] = [Number(text.slice(middle + 1, last)), Number(text.slice(last + 1))];
  if (middle < 1 || last === middle + 1 || !isIndex(partition) || !isIndex(offset)) return undefined;
  return { topic: text.slice(0, middle), partition, offset, text };
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

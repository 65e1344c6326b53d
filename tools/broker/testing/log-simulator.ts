import type { JudgeRecord } from '../src/console-format.ts';

/** What becomes of one request in a simulated run. */
export interface Fate {
  readonly partition: number;
  /** undefined: a keyless request. */
  readonly key: number | undefined;
  readonly end: 'fast' | 'heavy' | 'reject' | 'rejectAtModel' | 'redriven' | 'drop';
}

export interface SimulatedLog {
  requests: JudgeRecord[];
  predictions: JudgeRecord[];
  deadLetters: JudgeRecord[];
  routed: JudgeRecord[];
}

/** A topic that hands out offsets per partition. */
class Topic {
  readonly records: JudgeRecord[] = [];
  readonly #name: string;
  readonly #next = new Map<number, number>();

  constructor(name: string) {
    this.#name = name;
  }

  append(partition: number, key: Buffer | null, headers: Record<string, string>): JudgeRecord {
    const offset = this.#next.get(partition) ?? 0;
    // A gap after each record, as transaction markers leave them.
    this.#next.set(partition, offset + 2);
    const bytes = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]));
    const record = { topic: this.#name, partition, offset, timestamp: 0, key, headers: bytes };
    this.records.push(record);
    return record;
  }
}

const place = (record: JudgeRecord): string => `${record.topic}/${record.partition}/${record.offset}`;

/** A faultless run: every request goes through router, fast worker and, if escalated, heavy worker, in order. */
export function simulateLog(fates: readonly Fate[]): SimulatedLog {
  const [requests, fast, heavy] = [new Topic('mail.requests'), new Topic('mail.model.fast'), new Topic('mail.model.heavy')];
  const [predictions, deadLetters] = [new Topic('mail.predictions'), new Topic('mail.dead-letters')];
  fates.forEach(({ partition, key, end }, at) => {
    const bytes = key === undefined ? null : Buffer.from([key]);
    const request = requests.append(partition, bytes, {});
    const stamp = (source: JudgeRecord): Record<string, string> => ({ 'sluice-source': place(source), 'sluice-origin': place(request) });
    if (end === 'reject' || end === 'drop') return void deadLetters.append(0, bytes, { ...stamp(request), 'sluice-class': end });
    let first = fast.append(key ?? partition, bytes, stamp(request));
    if (end === 'rejectAtModel' || end === 'redriven') deadLetters.append(0, bytes, { ...stamp(first), 'sluice-class': 'reject' });
    if (end === 'rejectAtModel') return;
    const again = { 'sluice-origin': place(request), 'sluice-redriven': place(request) };
    if (end === 'redriven') first = fast.append(key ?? partition, bytes, again);
    const last = end === 'heavy' ? heavy.append(key ?? partition, bytes, stamp(first)) : first;
    predictions.append(at % 3, Buffer.from(`id-${at}`), stamp(last));
  });
  return {
    requests: requests.records,
    predictions: predictions.records,
    deadLetters: deadLetters.records,
    routed: [...fast.records, ...heavy.records],
  };
}

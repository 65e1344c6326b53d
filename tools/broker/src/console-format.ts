/** A record as the judge sees it. */
export interface JudgeRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch; -1 when the record has none. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  /** Left out unless values were asked for. */
  readonly value?: Buffer | null;
  /** The last one wins where a header occurs twice. */
  readonly headers: Readonly<Record<string, Buffer>>;
}

/**
 * Separators that no printed byte can equal: the BytesDeserializer prints everything outside printable ASCII, and the
 * backslash itself, as \xHH.
 */
const separator = { field: '\x1f', header: '\x1e', record: '\x1d', nothing: '\x18nothing\x18' };
const escapedNothing = '\\x18nothing\\x18';
const recordEnd = separator.record.charCodeAt(0);

/** Properties that make Kafka's console consumer print records in the form that `parseConsoleRecord` reads. */
export function formatterProperties(withValues: boolean): string[] {
  const bytes = 'org.apache.kafka.common.serialization.BytesDeserializer';
  return [
    'print.timestamp=true',
    'print.partition=true',
    'print.offset=true',
    'print.headers=true',
    'print.key=true',
    `print.value=${withValues}`,
    `key.deserializer=${bytes}`,
    `value.deserializer=${bytes}`,
    `headers.deserializer=${bytes}`,
    `key.separator=${separator.field}`,
    `headers.separator=${separator.header}`,
    `line.separator=${separator.record}`,
    `null.literal=${separator.nothing}`,
  ];
}

/** Cuts printed output, which comes in chunks of any size, into records. Returns the function to feed. */
export function recordCutter(onRecord: (text: string) => void): (chunk: Buffer) => void {
  let rest: Buffer[] = [];
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(recordEnd); end >= 0; end = chunk.indexOf(recordEnd, from)) {
      const piece = chunk.subarray(from, end);
      const whole = rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
      if (rest.length > 0) rest = [];
      onRecord(whole.toString());
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  };
}

/** Reads one printed record. Throws when it has another form, so that a change of the tool cannot pass for an empty record. */
export function parseConsoleRecord(topic: string, text: string): JudgeRecord {
  const fields = text.split(separator.field);
  const [time, partition, offset, headers, key, value] = fields;
  if (key === undefined || fields.length > 6) throw new Error(`the console consumer printed ${JSON.stringify(text.slice(0, 200))}`);
  const record = {
    topic,
    partition: numberAfter('Partition:', partition),
    offset: numberAfter('Offset:', offset),
    timestamp: time === 'NO_TIMESTAMP' ? -1 : Number(time?.slice(time.indexOf(':') + 1)),
    key: unescapeBytes(key),
    headers: parseHeaders(headers ?? ''),
  };
  return value === undefined ? record : { ...record, value: unescapeBytes(value) };
}

function numberAfter(label: string, text: string | undefined): number {
  const value = text?.startsWith(label) ? Number(text.slice(label.length)) : NaN;
  if (!Number.isSafeInteger(value)) throw new Error(`the console consumer printed ${text} where ${label}N belongs`);
  return value;
}

function parseHeaders(text: string): Record<string, Buffer> {
  const headers: Record<string, Buffer> = {};
  if (text === 'NO_HEADERS') return headers;
  for (const one of text.split(separator.header)) {
    const colon = one.indexOf(':');
    const value = colon < 0 ? null : unescapeBytes(one.slice(colon + 1));
    if (value !== null) headers[one.slice(0, colon)] = value;
  }
  return headers;
}

/** Undoes org.apache.kafka.common.utils.Bytes.toString. */
export function unescapeBytes(text: string): Buffer | null {
  if (text === escapedNothing) return null;
  if (!text.includes('\\')) return Buffer.from(text, 'latin1');
  const bytes = Buffer.allocUnsafe(text.length);
  let size = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 92) {
      bytes[size++] = parseInt(text.slice(at + 2, at + 4), 16);
      at += 3;
    } else bytes[size++] = code;
  }
  return bytes.subarray(0, size);
}

/** A decoded text part of a message. */
export interface TextPart {
  readonly kind: 'plain' | 'html';
  readonly text: string;
}

export interface ParsedMessage {
  /** Lower-case name -> values in the order of the message, unfolded, encoded words decoded. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Leaf parts of any type; a message without multipart counts 1. */
  readonly partCount: number;
  readonly texts: readonly TextPart[];
  /** Bytes after the header block. */
  readonly bodyBytes: number;
}

const maxDepth = 6;

/**
 * Reads a mail message, forgiving as readers of mail must be: unknown charsets are read as Latin-1, broken base64 as far as it goes,
 * a multipart without its boundary as one text. One character of `raw` is one byte (Latin-1).
 */
export function parseMessage(raw: string): ParsedMessage {
  const { headers, body } = split(raw.replaceAll('\r\n', '\n'));
  const texts: TextPart[] = [];
  const partCount = collect(headers, body, { texts, depth: 0 });
  return { headers, partCount, texts, bodyBytes: body.length };
}

function split(raw: string): { headers: Map<string, string[]>; body: string } {
  const end = raw.indexOf('\n\n');
  const block = end < 0 ? raw : raw.slice(0, end);
  const headers = new Map<string, string[]>();
  for (const line of block.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0 || /\s/.test(line.slice(0, colon))) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = decodeWords(line.slice(colon + 1).trim());
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  return { headers, body: end < 0 ? '' : raw.slice(end + 2) };
}

interface Collection {
  readonly texts: TextPart[];
  readonly depth: number;
}

/** Walks the parts, pushes text parts, returns the number of leaves. */
function collect(headers: ReadonlyMap<string, readonly string[]>, body: string, into: Collection): number {
  const type = headers.get('content-type')?.[0] ?? 'text/plain';
  const boundary = /^multipart\//i.test(type) ? parameter(type, 'boundary') : undefined;
  if (boundary !== undefined && into.depth < maxDepth) {
    const parts = body.split(`--${boundary}`).slice(1);
    let leaves = 0;
    for (const part of parts) {
      if (part.startsWith('--')) break;
      const inner = split(part.replace(/^[ \t]*\n/, ''));
      leaves += collect(inner.headers, inner.body, { texts: into.texts, depth: into.depth + 1 });
    }
    if (leaves > 0) return leaves;
  }
  if (/^message\/rfc822/i.test(type) && into.depth < maxDepth) {
    const inner = split(body);
    return collect(inner.headers, inner.body, { texts: into.texts, depth: into.depth + 1 });
  }
  if (/^(text|multipart)\//i.test(type) || !type.includes('/')) {
    const encoding = (headers.get('content-transfer-encoding')?.[0] ?? '').toLowerCase();
    const text = decodeText(transferDecode(body, encoding), parameter(type, 'charset'));
    into.texts.push({ kind: /^text\/html/i.test(type) ? 'html' : 'plain', text });
  }
  return 1;
}

function parameter(value: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(value);
  return match?.[1] ?? match?.[2];
}

function transferDecode(body: string, encoding: string): Buffer {
  if (encoding.includes('base64')) return Buffer.from(body, 'base64');
  if (encoding.includes('quoted-printable')) return quotedPrintable(body.replace(/=[ \t]*\n/g, ''));
  return Buffer.from(body, 'latin1');
}

function quotedPrintable(text: string): Buffer {
  return Buffer.from(
    text.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

function decodeText(bytes: Buffer, charset: string | undefined): string {
  try {
    return new TextDecoder(charset ?? 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}

/** RFC 2047 encoded words in a header value. */
function decodeWords(value: string): string {
  const joined = value.replace(/\?=\s+=\?/g, '?==?');
  return joined.replace(/=\?([^?]+)\?([bq])\?([^?]*)\?=/gi, (...[, charset, encoding, data]: string[]) => {
    const bytes = encoding!.toLowerCase() === 'b' ? Buffer.from(data!, 'base64') : quotedPrintable(data!.replaceAll('_', ' '));
    return decodeText(bytes, charset);
  });
}

import { isUtf8 } from 'node:buffer';
import { headerBytes } from '@sluice/contracts';
import type { Letter } from './letters.ts';

/** One line a letter; bytes are never printed. */
export function renderLetters(letters: readonly Letter[]): string {
  return letters
    .map(({ record, place, code, stage, attempts, origin, message }) =>
      [new Date(record.timestamp).toISOString(), place, code, `stage ${stage}`, `attempts ${attempts}`, `origin ${origin}`, message].join(
        '  ',
      ),
    )
    .join('\n');
}

export function renderCounts(letters: readonly Letter[]): string {
  const counts = new Map<string, number>();
  for (const { code } of letters) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [`${letters.length} dead letters`, ...[...counts].map(([code, count]) => `  ${count} x ${code}`)].join('\n');
}

export function renderLetter({ record, place, code, class: kind, message, stage, attempts, origin, source }: Letter): string {
  const size = (bytes: Buffer | null): string => (bytes === null ? 'none' : `${bytes.length} bytes`);
  const headers = Object.keys(record.headers).map((name) => `  ${name}: ${textOf(headerBytes(record.headers, name))}`);
  return [
    `${place}, ${new Date(record.timestamp).toISOString()}`,
    `${code} (${kind}): ${message}`,
    `refused by ${stage} after ${attempts} attempt(s), read from ${source.topic}/${source.partition}/${source.offset}, origin ${origin}`,
    `key ${size(record.key)}, value ${size(record.value)}`,
    'headers',
    ...headers,
  ].join('\n');
}

function textOf(bytes: Buffer | undefined): string {
  if (bytes === undefined) return 'none';
  return isUtf8(bytes) && !/[\u0000-\u001f\u007f]/.test(bytes.toString()) ? bytes.toString() : `${bytes.length} bytes`;
}

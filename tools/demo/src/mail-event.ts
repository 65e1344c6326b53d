import type { ParsedMessage } from './mime.ts';

/** The typed event of flow `mail`, field for field the record of infra/flows/mail-request.avsc. */
export interface MailEvent {
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** Null where the From header states none, or one that the corpus' makers put in the place of their own. */
  readonly senderDomain: string | null;
  readonly subject: string;
  /** Readable text of all text parts, markup removed. */
  readonly body: string;
  /** Bytes of the body as it was sent. */
  readonly bodySize: number;
  readonly partCount: number;
  readonly linkCount: number;
  /** Share of the text's characters that is markup. */
  readonly htmlShare: number;
  /** Share of the letters of subject and text that are upper case. */
  readonly upperShare: number;
}

const maxBody = 100_000;

/**
 * What a mail gateway would publish of a message. Of the headers only Date, Subject and the sender's domain are used: anything
 * written by the machines that collected the corpus (relays, list ids, filters) would betray the label.
 */
export function mailEvent(message: ParsedMessage, receivedAt: number): MailEvent {
  const subject = message.headers.get('subject')?.[0] ?? '';
  let characters = 0;
  let links = 0;
  const texts: string[] = [];
  for (const part of message.texts) {
    characters += part.text.length;
    links += part.text.match(/https?:\/\//gi)?.length ?? 0;
    texts.push(part.kind === 'html' || /<html|<body|<table/i.test(part.text) ? withoutMarkup(part.text) : part.text);
  }
  const readable = texts.join('\n');
  const removed = characters - texts.reduce((sum, text) => sum + text.length, 0);
  return {
    receivedAt,
    senderDomain: domainOf(message.headers.get('from')?.[0] ?? ''),
    subject,
    body: readable.replace(/\s+/g, ' ').trim().slice(0, maxBody),
    bodySize: message.bodyBytes,
    partCount: message.partCount,
    linkCount: links,
    htmlShare: characters === 0 ? 0 : Math.max(0, removed) / characters,
    upperShare: upperShare(subject + readable),
  };
}

function withoutMarkup(html: string): string {
  return html
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;?/gi, ' ')
    .replace(/&lt;/gi, '<')
    .replace(/&gt;/gi, '>')
    .replace(/&quot;/gi, '"')
    .replace(/&#(\d{1,5});?/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&amp;/gi, '&');
}

function domainOf(from: string): string | null {
  const domain = (/@([a-z0-9.-]+)/i.exec(from)?.[1] ?? '').toLowerCase().replace(/\.+$/, '');
  return domain === '' || domain.endsWith('taint.org') ? null : domain;
}

function upperShare(text: string): number {
  const upper = text.match(/[A-Z]/g)?.length ?? 0;
  const lower = text.match(/[a-z]/g)?.length ?? 0;
  return upper + lower === 0 ? 0 : upper / (upper + lower);
}

/**
 * Rows of a CSV text (RFC 4180): quoted fields may hold commas, line breaks and doubled quotes.
 * @throws Error when a quoted field never ends.
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const { value, end } = text[at] === '"' ? quoted(text, at) : plain(text, at);
    row.push(value);
    at = end + 1;
    if (text[end] === ',' && at < text.length) continue;
    if (text[end] === '\r' && text[at] === '\n') at++;
    rows.push(row);
    row = [];
  }
  return rows;
}

interface Field {
  readonly value: string;
  /** Index of what follows it: a comma, a line break, or the end. */
  readonly end: number;
}

function plain(text: string, start: number): Field {
  let end = start;
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end++;
  return { value: text.slice(start, end), end };
}

function quoted(text: string, start: number): Field {
  let value = '';
  for (let from = start + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) throw new Error(`the quoted field at character ${start} never ends`);
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    from = quote + 2;
  }
}

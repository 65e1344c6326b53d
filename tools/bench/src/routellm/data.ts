import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCsv } from './csv.ts';

/** One prompt and whether the weak and the strong model answered it rightly. */
export interface Prompt {
  readonly text: string;
  readonly weak: boolean;
  readonly strong: boolean;
}

export interface Prompts {
  readonly weakName: string;
  readonly strongName: string;
  readonly prompts: readonly Prompt[];
  /** Rows dropped because `contaminated_prompts.jsonl` lists their prompt. */
  readonly dropped: number;
}

/**
 * Reads every `*.csv` in DIR and `DIR/responses`: a header, then `prompt`, the weak model's and the strong model's column (True or False).
 * @throws Error when there is none, or one is not of that form.
 */
export function readPrompts(directory: string): Prompts {
  const tables = [directory, join(directory, 'responses')]
    .flatMap(csvsIn)
    .map((file) => ({ file, rows: parseCsv(readFileSync(file, 'utf8')) }));
  const first = tables[0];
  if (first === undefined) throw new Error(`${directory} holds no .csv file`);
  const header = first.rows[0] ?? [];
  const [prompt, weakName, strongName] = header;
  if (prompt !== 'prompt' || weakName === undefined || strongName === undefined || header.length !== 3)
    throw new Error(`${first.file}: the columns are ${header.join(', ')}; expected: prompt, the weak model, the strong model`);
  const all = tables.flatMap(({ file, rows }) => {
    if (rows[0]?.join() !== header.join()) throw new Error(`${file}: its columns are not those of ${first.file}`);
    return rows.slice(1).map((row, index) => promptOf(row, `${file}, row ${index + 1}`));
  });
  const contaminated = contaminatedIn(directory);
  const prompts = all.filter(({ text }) => !contaminated.has(text));
  return { weakName, strongName, prompts, dropped: all.length - prompts.length };
}

function csvsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.csv'))
    .sort()
    .map((name) => join(folder, name));
}

function promptOf(row: readonly string[], where: string): Prompt {
  const [text, weak, strong] = row;
  const isFlag = (value: string | undefined): boolean => value === 'True' || value === 'False';
  if (row.length !== 3 || text === undefined || !isFlag(weak) || !isFlag(strong))
    throw new Error(`${where}: not a prompt with True or False twice`);
  return { text, weak: weak === 'True', strong: strong === 'True' };
}

function contaminatedIn(directory: string): Set<string> {
  const file = join(directory, 'contaminated_prompts.jsonl');
  if (!existsSync(file)) return new Set();
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return new Set(lines.map((line) => (JSON.parse(line) as { eval_prompt: string }).eval_prompt));
}

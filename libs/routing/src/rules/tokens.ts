import { conditionError } from './fault.ts';
import type { LiteralValue } from './syntax.ts';

export type Token =
  | { readonly kind: 'number' | 'string'; readonly value: LiteralValue; readonly text: string; readonly at: number }
  | { readonly kind: 'word' | 'symbol' | 'end'; readonly text: string; readonly at: number };

/** One pattern per kind of token, sticky; the first that matches wins. */
const patterns = {
  space: /\s+/y,
  number: /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y,
  string: /'(?:[^']|'')*'/y,
  // Header names may hold dashes; nothing else does, and there is no subtraction that could be meant.
  word: /header\.[A-Za-z0-9_.-]+|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y,
  symbol: /!=|<=|>=|[=<>(),]/y,
} as const;

const misspelt: Readonly<Record<string, string>> = {
  '"': "strings stand in single quotes: 'text'",
  "'": "the string has no closing quote; a quote inside a string is written twice: 'it''s'",
  '&': 'write and',
  '|': 'write or',
  '!': 'write not, or != for unequal',
  '+': 'conditions compare; they do not calculate',
  '-': 'conditions compare; they do not calculate',
  '*': 'conditions compare; they do not calculate',
  '/': 'conditions compare; they do not calculate',
};

/**
 * Splits a condition into tokens; the last one has kind `end`.
 * @throws SluiceError SLUICE_FLOW_INVALID at the first character that starts no token.
 */
export function tokenize(text: string, where: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const [kind, lexeme] = match(text, at) ?? [];
    if (kind === undefined || lexeme === undefined) {
      const character = String.fromCodePoint(text.codePointAt(at)!);
      throw conditionError(text, where, { at, message: `unexpected ${JSON.stringify(character)}`, hint: misspelt[character] });
    }
    if (kind === 'number' && !Number.isFinite(Number(lexeme)))
      throw conditionError(text, where, { at, message: `${lexeme} is no finite number` });
    if (kind !== 'space') tokens.push(toToken(kind, lexeme, at));
    at += lexeme.length;
  }
  return [...tokens, { kind: 'end', text: 'the end', at: text.length }];
}

type Kind = keyof typeof patterns;

function match(text: string, at: number): readonly [Kind, string] | undefined {
  for (const kind of Object.keys(patterns) as Kind[]) {
    const pattern = patterns[kind];
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) return [kind, found[0]];
  }
  return undefined;
}

function toToken(kind: Exclude<Kind, 'space'>, text: string, at: number): Token {
  if (kind === 'number') return { kind, value: Number(text), text, at };
  if (kind === 'string') return { kind, value: text.slice(1, -1).replaceAll("''", "'"), text, at };
  return { kind, text, at };
}

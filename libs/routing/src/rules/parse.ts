import { conditionError, type Fault } from './fault.ts';
import { comparisons, keywords, type Expression, type Operand } from './syntax.ts';
import { tokenize, type Token } from './tokens.ts';

/** Parentheses and `not` nest at most this deep, so that no input can exhaust the stack. */
const deepest = 64;
const longest = 4096;

/**
 * Parses a rule's condition:
 * ```
 * either     = both { "or" both }
 * both       = negated { "and" negated }
 * negated    = "not" negated | "(" either ")" | test
 * test       = operand [ ("=" | "!=" | "<" | "<=" | ">" | ">=" | "contains") operand | "in" "(" literal { "," literal } ")" ]
 * operand    = name | number | 'text' | true | false
 * ```
 * @throws SluiceError SLUICE_FLOW_INVALID with line, column and hint.
 */
export function parseCondition(text: string, where = 'condition'): Expression {
  if (text.length > longest) throw conditionError(text, where, { at: longest, message: `a condition has at most ${longest} characters` });
  return new Parser(text, where).whole();
}

class Parser {
  readonly #text: string;
  readonly #where: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
    this.#tokens = tokenize(text, where);
  }

  whole(): Expression {
    const expression = this.#either();
    if (this.#token.kind === 'end') return expression;
    throw this.#unexpected('and, or, or the end', doubledEquals(this.#token, this.#tokens[this.#next - 1]));
  }

  #either(): Expression {
    let left = this.#both();
    while (this.#take('or')) left = { kind: 'or', left, right: this.#both() };
    return left;
  }

  #both(): Expression {
    let left = this.#negated();
    while (this.#take('and')) left = { kind: 'and', left, right: this.#negated() };
    return left;
  }

  #negated(): Expression {
    if (++this.#depth > deepest) throw this.#fault({ at: this.#token.at, message: `a condition nests at most ${deepest} deep` });
    const expression = this.#take('not') ? ({ kind: 'not', operand: this.#negated() } as const) : this.#grouped();
    this.#depth--;
    return expression;
  }

  #grouped(): Expression {
    if (!this.#take('(')) return this.#test();
    const inner = this.#either();
    this.#expect(')');
    return inner;
  }

  #test(): Expression {
    const left = this.#operand();
    const { at, text } = this.#token;
    if (this.#take('in')) return { kind: 'in', left, options: this.#options(), at };
    const operator = [...comparisons, 'contains' as const].find((known) => known === text);
    if (operator === undefined) return { kind: 'test', operand: left };
    this.#next++;
    return { kind: 'compare', operator, left, right: this.#operand(), at };
  }

  #options(): Operand[] {
    this.#expect('(');
    const options = [this.#literal()];
    while (this.#take(',')) options.push(this.#literal());
    this.#expect(')');
    return options;
  }

  #literal(): Operand {
    const operand = this.#operand();
    if (operand.kind === 'literal') return operand;
    throw this.#fault({ at: operand.at, message: 'in (...) lists numbers or strings', hint: `did you mean '${operand.name}'?` });
  }

  #operand(): Operand {
    const token = this.#token;
    if (token.kind === 'number' || token.kind === 'string') {
      this.#next++;
      return { kind: 'literal', value: token.value, at: token.at };
    }
    if (token.kind === 'word' && (token.text === 'true' || token.text === 'false')) {
      this.#next++;
      return { kind: 'literal', value: token.text === 'true', at: token.at };
    }
    if (token.kind !== 'word' || keywords.has(token.text))
      throw this.#unexpected('a field, a number or a string', doubledEquals(token, this.#tokens[this.#next - 1]));
    this.#next++;
    return { kind: 'name', name: token.text, at: token.at };
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(text: string): boolean {
    // Strings keep their quotes in `text`, so they never pass for a keyword.
    if (this.#token.text !== text) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(`"${text}"`);
  }

  #unexpected(wanted: string, hint?: string) {
    const { text, at } = this.#token;
    return this.#fault({ at, message: `expected ${wanted}, found ${text}`, hint });
  }

  #fault(fault: Fault) {
    return conditionError(this.#text, this.#where, fault);
  }
}

function doubledEquals(token: Token, before: Token | undefined): string | undefined {
  if (token.text === '=' && before?.text === '=') return 'equality is written with one =';
  if (token.kind === 'word') return `a string stands in single quotes: '${token.text}'`;
  return undefined;
}

/** The expression tree of a rule's condition. `at` is the index of the first character, for messages. */
export const comparisons = ['=', '!=', '<', '<=', '>', '>='] as const;
export type Comparison = (typeof comparisons)[number];

export type LiteralValue = number | string | boolean;

export type Operand =
  | { readonly kind: 'literal'; readonly value: LiteralValue; readonly at: number }
  /** A field path of the request, `header.NAME`, or a fact such as `size`. */
  | { readonly kind: 'name'; readonly name: string; readonly at: number };

export type Expression =
  | { readonly kind: 'or' | 'and'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  | {
      readonly kind: 'compare';
      readonly operator: Comparison | 'contains';
      readonly left: Operand;
      readonly right: Operand;
      readonly at: number;
    }
  | { readonly kind: 'in'; readonly left: Operand; readonly options: readonly Operand[]; readonly at: number }
  /** A boolean field alone. */
  | { readonly kind: 'test'; readonly operand: Operand };

export const keywords: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'contains', 'true', 'false']);

const strength = { or: 1, and: 2, not: 3 } as const;

/** The condition as text that parses back to the same tree, with as few parentheses as that allows. */
export function printExpression(expression: Expression): string {
  return print(expression, 0);
}

function print(expression: Expression, around: number): string {
  switch (expression.kind) {
    case 'or':
    case 'and': {
      const own = strength[expression.kind];
      // Both operators group to the left, so an equal operator on the right keeps its parentheses.
      const text = `${print(expression.left, own)} ${expression.kind} ${print(expression.right, own + 1)}`;
      return own < around ? `(${text})` : text;
    }
    case 'not':
      return `not ${print(expression.operand, strength.not)}`;
    case 'compare':
      return `${printOperand(expression.left)} ${expression.operator} ${printOperand(expression.right)}`;
    case 'in':
      return `${printOperand(expression.left)} in (${expression.options.map(printOperand).join(', ')})`;
    case 'test':
      return printOperand(expression.operand);
  }
}

function printOperand(operand: Operand): string {
  if (operand.kind === 'name') return operand.name;
  // A quote inside a string is written twice, as in SQL.
  return typeof operand.value === 'string' ? `'${operand.value.replaceAll("'", "''")}'` : String(operand.value);
}

import type { Comparison, Expression, LiteralValue, Operand } from './syntax.ts';

/** Gives the value of a name for the record at hand; undefined when the record lacks it. */
export type ReadName = (name: string) => LiteralValue | undefined;

export type Condition = (read: ReadName) => boolean;

/**
 * Turns a checked condition into a function. A missing value makes every comparison false, `!=` too: a rule speaks of what
 * a record says, and `not (a = 'x')` is there for "is not, or is missing".
 */
export function compileCondition(expression: Expression): Condition {
  switch (expression.kind) {
    case 'or': {
      const [left, right] = [compileCondition(expression.left), compileCondition(expression.right)];
      return (read) => left(read) || right(read);
    }
    case 'and': {
      const [left, right] = [compileCondition(expression.left), compileCondition(expression.right)];
      return (read) => left(read) && right(read);
    }
    case 'not': {
      const operand = compileCondition(expression.operand);
      return (read) => !operand(read);
    }
    case 'test': {
      const value = compileOperand(expression.operand);
      return (read) => value(read) === true;
    }
    case 'in': {
      const value = compileOperand(expression.left);
      const options = expression.options.map(compileOperand);
      return (read) => options.some((option) => compare('=', value(read), option(read)));
    }
    case 'compare': {
      const { operator } = expression;
      const [left, right] = [compileOperand(expression.left), compileOperand(expression.right)];
      if (operator === 'contains') return (read) => contains(left(read), right(read));
      return (read) => compare(operator, left(read), right(read));
    }
  }
}

function compileOperand(operand: Operand): (read: ReadName) => LiteralValue | undefined {
  if (operand.kind === 'literal') return () => operand.value;
  return (read) => read(operand.name);
}

function contains(text: LiteralValue | undefined, part: LiteralValue | undefined): boolean {
  return typeof text === 'string' && typeof part === 'string' && text.includes(part);
}

function compare(operator: Comparison, left: LiteralValue | undefined, right: LiteralValue | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  // The check lets a header (text on the wire) meet a number; text that is no number compares false, as missing does.
  const [a, b] = typeof left === typeof right ? [left, right] : [asNumber(left), asNumber(right)];
  if (Number.isNaN(a) || Number.isNaN(b)) return false;
  switch (operator) {
    case '=':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}

function asNumber(value: LiteralValue): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
}

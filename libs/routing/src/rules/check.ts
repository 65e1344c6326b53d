import { conditionError, type Fault } from './fault.ts';
import { headerPrefix, type FieldType, type FieldTypes } from './fields.ts';
import type { Expression, Operand } from './syntax.ts';

interface Source {
  readonly text: string;
  readonly where: string;
  readonly fields: FieldTypes;
}

/**
 * Checks every comparison of a condition against the types of its names.
 * @throws SluiceError SLUICE_FLOW_INVALID at the operand that does not fit.
 */
export function checkCondition(expression: Expression, source: Source): void {
  switch (expression.kind) {
    case 'or':
    case 'and':
      checkCondition(expression.left, source);
      checkCondition(expression.right, source);
      return;
    case 'not':
      return checkCondition(expression.operand, source);
    case 'test': {
      const type = typeOf(expression.operand, source);
      if (type !== 'boolean')
        throw fault(source, {
          at: expression.operand.at,
          message: `${describe(expression.operand, type)} alone is no condition`,
          hint: 'compare it: FIELD = VALUE',
        });
      return;
    }
    case 'in': {
      const left = typeOf(expression.left, source);
      for (const option of expression.options) agree(left, typeOf(option, source), { source, left: expression.left, right: option });
      return;
    }
    case 'compare':
      return checkComparison(expression, source);
  }
}

function checkComparison({ operator, left, right }: Extract<Expression, { kind: 'compare' }>, source: Source): void {
  const leftType = typeOf(left, source);
  const rightType = typeOf(right, source);
  if (operator === 'contains') {
    for (const [operand, type] of [
      [left, leftType],
      [right, rightType],
    ] as const) {
      if (type !== 'text' && type !== 'header')
        throw fault(source, { at: operand.at, message: `contains searches text; ${describe(operand, type)} is not text` });
    }
    return;
  }
  agree(leftType, rightType, { source, left, right });
  const ordered = operator !== '=' && operator !== '!=';
  if (ordered && leftType !== 'number' && rightType !== 'number') {
    throw fault(source, { at: left.at, message: `${operator} compares numbers; ${describe(left, leftType)} is not a number` });
  }
}

interface Pair {
  readonly source: Source;
  readonly left: Operand;
  readonly right: Operand;
}

function agree(left: FieldType, right: FieldType, { source, left: one, right: other }: Pair): void {
  const readsAsBoth = (header: FieldType, type: FieldType) => header === 'header' && type !== 'boolean';
  if (left === right || readsAsBoth(left, right) || readsAsBoth(right, left)) return;
  throw fault(source, { at: other.at, message: `${describe(one, left)} cannot be compared with ${describe(other, right)}` });
}

function typeOf(operand: Operand, source: Source): FieldType {
  if (operand.kind === 'literal') return typeof operand.value === 'string' ? 'text' : (typeof operand.value as 'number' | 'boolean');
  const type = source.fields.typeOf(operand.name);
  if (type === undefined)
    throw fault(source, {
      at: operand.at,
      message: `the request has no field ${operand.name}`,
      hint: suggestion(operand.name, source.fields),
    });
  if (type === 'unreadable')
    throw fault(source, {
      at: operand.at,
      message: `${operand.name} is not a number, a string, an enum or a boolean`,
      hint: 'conditions read single values; a dot enters a nested record',
    });
  return type;
}

function describe(operand: Operand, type: FieldType): string {
  return operand.kind === 'name' ? `${operand.name} (${type})` : `${JSON.stringify(operand.value)} (${type})`;
}

function fault({ text, where }: Source, what: Fault) {
  return conditionError(text, where, what);
}

function suggestion(name: string, { names }: FieldTypes): string {
  const wanted = name.toLowerCase();
  const near = names
    .map((known) => ({ known, distance: editDistance(wanted, known.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near !== undefined && near.distance <= Math.ceil(name.length / 3)) return `did you mean ${near.known}?`;
  const shown = names.slice(0, 12).join(', ');
  return `known: ${shown}${names.length > 12 ? ', ...' : ''}, ${headerPrefix}NAME; a string stands in single quotes`;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}

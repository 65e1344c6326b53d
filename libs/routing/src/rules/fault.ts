import { SluiceError } from '@sluice/domain';

/** What is wrong with a condition, and where. */
export interface Fault {
  /** Index of the character in the condition. */
  readonly at: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

/**
 * The error for a faulty condition: rule, line and column (both from 1), the line itself with a caret, and a hint.
 * `where` names the rule in the flow.
 */
export function conditionError(text: string, where: string, { at, message, hint }: Fault): SluiceError {
  const before = text.slice(0, at).split('\n');
  const line = before.length;
  const column = before[before.length - 1]!.length + 1;
  const source = text.split('\n')[line - 1]!;
  const advice = hint === undefined ? '' : `\n  hint: ${hint}`;
  const place = `\n  ${window(source, column)}`;
  return new SluiceError('SLUICE_FLOW_INVALID', `${where}, line ${line}, column ${column}: ${message}${place}${advice}`);
}

/** At most 80 characters of the line around the column, with a caret under it. */
function window(source: string, column: number): string {
  const start = Math.max(0, column - 41);
  const shown = source.slice(start, start + 80);
  return `${shown}\n  ${' '.repeat(column - 1 - start)}^`;
}

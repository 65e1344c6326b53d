import { headerText, type WireHeaders } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';
import { checkCondition } from './check.ts';
import { compileCondition, type Condition } from './evaluate.ts';
import { factNames, fieldTypes, headerPrefix, mergeFieldTypes, type FactName, type FieldTypes } from './fields.ts';
import type { SignatureFacts } from '../signature.ts';
import { parseCondition } from './parse.ts';
import { openFields, type FieldReader } from './reader.ts';
import type { Expression, LiteralValue } from './syntax.ts';

/** A declared rule that holds for a request. */
export interface RuleHit {
  readonly name: string;
  readonly tier: string;
  /** The flow author's words for why. */
  readonly because: string;
}

/** What a condition can see of a request. */
export interface RuleRequest {
  readonly value: Buffer;
  /** Index of the writer schema in `flow.request.schemas`. */
  readonly schema: number;
  /** First byte of the Avro datum in `value`. */
  readonly start: number;
  readonly headers: WireHeaders;
}

export interface Rules {
  /** Number of declared rules; with none, a request need not be looked at. */
  readonly count: number;
  /**
   * The first rule, in the order of the flow file, whose condition holds.
   * @throws SluiceError SLUICE_AVRO_TRUNCATED or SLUICE_AVRO_INVALID when a field a condition needs cannot be read.
   */
  first(request: RuleRequest, facts: SignatureFacts): RuleHit | undefined;
}

/**
 * Compiles the rules of a flow against its request schemas (parsed Avro, in the order of `flow.request.schemas`).
 * @throws SluiceError SLUICE_FLOW_INVALID naming rule, line and column of the first fault, with a hint.
 */
export function compileRules(flow: Flow, schemas: readonly object[]): Rules {
  const types = mergeFieldTypes(schemas.map(fieldTypes));
  const compiled = flow.rules.map(({ name, when, tier, because }, index) => {
    const expression = parseAndCheck(when, `rules.${index} (${name})`, types);
    return { hit: { name, tier, because }, condition: compileCondition(expression), names: namesIn(expression) };
  });
  const paths = [...new Set(compiled.flatMap((rule) => rule.names).filter(isPath))];
  const readers = schemas.map((schema) => {
    const own = fieldTypes(schema);
    const known = paths.filter((path) => own.typeOf(path) !== undefined);
    return known.length === 0 ? undefined : new NamedFields(known, openFields(schema, known));
  });
  return new CompiledRules(compiled, readers);
}

function parseAndCheck(text: string, where: string, fields: FieldTypes): Expression {
  const expression = parseCondition(text, where);
  checkCondition(expression, { text, where, fields });
  return expression;
}

class CompiledRules implements Rules {
  readonly #rules: readonly { readonly hit: RuleHit; readonly condition: Condition }[];
  readonly #readers: readonly (NamedFields | undefined)[];
  // The request at hand and one reading function for all: nothing is allocated per event.
  #request: RuleRequest | undefined;
  #facts: SignatureFacts | undefined;
  #fields: NamedFields | undefined;
  readonly #read = (name: string): LiteralValue | undefined => this.#valueOf(name);

  constructor(rules: readonly { readonly hit: RuleHit; readonly condition: Condition }[], readers: readonly (NamedFields | undefined)[]) {
    this.#rules = rules;
    this.#readers = readers;
  }

  get count(): number {
    return this.#rules.length;
  }

  first(request: RuleRequest, facts: SignatureFacts): RuleHit | undefined {
    this.#request = request;
    this.#facts = facts;
    this.#fields = undefined;
    for (let i = 0; i < this.#rules.length; i++) if (this.#rules[i]!.condition(this.#read)) return this.#rules[i]!.hit;
    return undefined;
  }

  #valueOf(name: string): LiteralValue | undefined {
    const request = this.#request!;
    if (name.startsWith(headerPrefix)) return headerText(request.headers, name.slice(headerPrefix.length));
    if (!isPath(name)) return this.#facts![name as FactName];
    // The record is walked only when a condition gets as far as one of its fields.
    this.#fields ??= this.#readers[request.schema]?.load(request);
    return this.#fields?.get(name);
  }
}

/** A field reader by name instead of slot. */
class NamedFields {
  readonly #slots: ReadonlyMap<string, number>;
  readonly #reader: FieldReader;

  constructor(paths: readonly string[], reader: FieldReader) {
    this.#slots = new Map(paths.map((path, slot) => [path, slot]));
    this.#reader = reader;
  }

  load({ value, start }: RuleRequest): this {
    this.#reader.load(value, start);
    return this;
  }

  get(name: string): LiteralValue | undefined {
    const slot = this.#slots.get(name);
    return slot === undefined ? undefined : this.#reader.get(slot);
  }
}

function isPath(name: string): boolean {
  return !name.startsWith(headerPrefix) && !(factNames as readonly string[]).includes(name);
}

function namesIn(expression: Expression): string[] {
  switch (expression.kind) {
    case 'or':
    case 'and':
      return [...namesIn(expression.left), ...namesIn(expression.right)];
    case 'not':
      return namesIn(expression.operand);
    case 'test':
      return expression.operand.kind === 'name' ? [expression.operand.name] : [];
    case 'in':
      return expression.left.kind === 'name' ? [expression.left.name] : [];
    case 'compare':
      return [expression.left, expression.right].flatMap((operand) => (operand.kind === 'name' ? [operand.name] : []));
  }
}

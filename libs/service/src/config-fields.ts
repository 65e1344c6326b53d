import { z } from 'zod';

/** One option of a configuration, as the command line, the environment and the reference page show it. */
export interface ConfigField {
  readonly key: string;
  /** `SLUICE_MAX_SLICE` for `maxSlice`. */
  readonly env: string;
  /** `--max-slice` for `maxSlice`. */
  readonly flag: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'list';
  readonly choices: readonly string[];
  readonly required: boolean;
  readonly default: unknown;
  readonly description: string;
}

/** The options of a schema in the order of their declaration; descriptions come from `.describe()` or `.meta()`. */
export function fieldsOf(schema: z.ZodObject): readonly ConfigField[] {
  return Object.entries(schema.shape).map(([key, type]) => {
    const { inner, fallback, optional } = unwrap(type as z.ZodType);
    const words = key.replace(/[A-Z]/g, (letter) => `_${letter}`);
    return {
      key,
      env: `SLUICE_${words.toUpperCase()}`,
      flag: `--${words.toLowerCase().replaceAll('_', '-')}`,
      kind: kindOf(inner),
      choices: inner instanceof z.ZodEnum ? inner.options.map(String) : [],
      required: !optional && fallback === undefined,
      default: fallback,
      description: (type as z.ZodType).description ?? inner.description ?? '',
    };
  });
}

/** Text of the environment or the command line as the value its field wants; what does not convert stays text and becomes a fault. */
export function fromText(field: ConfigField, text: string): unknown {
  switch (field.kind) {
    case 'number': {
      const value = Number(text);
      return text.trim() === '' || Number.isNaN(value) ? text : value;
    }
    case 'boolean':
      return { true: true, 1: true, false: false, 0: false }[text.toLowerCase()] ?? text;
    case 'list':
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'text':
      return text;
  }
}

interface Unwrapped {
  readonly inner: z.ZodType;
  readonly fallback: unknown;
  readonly optional: boolean;
}

function unwrap(type: z.ZodType, fallback?: unknown, optional = false): Unwrapped {
  if (type instanceof z.ZodDefault) return unwrap(type.def.innerType as z.ZodType, type.def.defaultValue, optional);
  if (type instanceof z.ZodOptional || type instanceof z.ZodNullable) return unwrap(type.def.innerType as z.ZodType, fallback, true);
  if (type instanceof z.ZodPipe) return unwrap(type.def.in as z.ZodType, fallback, optional);
  return { inner: type, fallback, optional };
}

function kindOf(type: z.ZodType): ConfigField['kind'] {
  if (type instanceof z.ZodNumber) return 'number';
  if (type instanceof z.ZodBoolean) return 'boolean';
  if (type instanceof z.ZodArray) return 'list';
  return 'text';
}

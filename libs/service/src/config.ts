import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { parse } from 'yaml';
import { SluiceError } from '@sluice/domain';
import { fieldsOf, fromText } from './config-fields.ts';

/** Where the values of a configuration come from; each source overrides the ones before it. */
export interface ConfigSources {
  /** A YAML or JSON file with the keys of the schema. */
  readonly file?: string | undefined;
  /** Environment variables: `maxSlice` is read from `SLUICE_MAX_SLICE`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Values of the command line, by key; text is converted as the environment's is. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

interface Origin {
  readonly value: unknown;
  readonly from: string;
}

/**
 * Reads one flat configuration: defaults of the schema < file < environment < flags.
 * @throws SluiceError SLUICE_CONFIG_INVALID listing every fault with its key and the source of the wrong value. Values
 * are never repeated in the message: one of them may be a password.
 */
export function loadConfig<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, sources: ConfigSources): z.output<z.ZodObject<Shape>> {
  const fields = fieldsOf(schema);
  const origins = new Map<string, Origin>();
  for (const [key, value] of Object.entries(readConfigFile(sources.file))) origins.set(key, { value, from: sources.file ?? '' });
  for (const field of fields) {
    const text = sources.env?.[field.env];
    if (text !== undefined && text !== '') origins.set(field.key, { value: fromText(field, text), from: field.env });
    const flag = sources.flags?.[field.key];
    if (flag === undefined) continue;
    origins.set(field.key, { value: typeof flag === 'string' ? fromText(field, flag) : flag, from: field.flag });
  }
  const given = Object.fromEntries([...origins].map(([key, origin]) => [key, origin.value]));
  const result = schema.strict().safeParse(given);
  if (result.success) return result.data;
  throw new SluiceError('SLUICE_CONFIG_INVALID', listFaults(result.error, origins));
}

function readConfigFile(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {};
  try {
    const document: unknown = parse(readFileSync(file, 'utf8'));
    if (document === null || document === undefined) return {};
    if (typeof document === 'object' && !Array.isArray(document)) return { ...document };
  } catch (cause) {
    throw new SluiceError('SLUICE_CONFIG_INVALID', `the configuration file ${file} cannot be read`, { cause });
  }
  throw new SluiceError('SLUICE_CONFIG_INVALID', `the configuration file ${file} is not a list of keys and values`);
}

function listFaults(error: z.ZodError, origins: ReadonlyMap<string, Origin>): string {
  const lines = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => `${key} (${origins.get(key)?.from ?? 'unknown source'}): no such option`);
    const key = issue.path.join('.');
    return [`${key} (${origins.get(String(issue.path[0]))?.from ?? 'not given'}): ${issue.message}`];
  });
  return `the configuration has ${lines.length} fault${lines.length === 1 ? '' : 's'}:${lines.map((line) => `\n  ${line}`).join('')}\n`;
}

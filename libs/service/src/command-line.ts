import { Command, CommanderError, Option } from 'commander';
import type { z } from 'zod';
import { SluiceError } from '@sluice/domain';
import { fieldsOf, type ConfigField } from './config-fields.ts';
import { loadConfig } from './config.ts';

/** A service's command line: one option per key of its schema, plus --config and --help. */
export interface CommandLine<Shape extends z.ZodRawShape> {
  readonly name: string;
  /** One sentence for --help. */
  readonly summary: string;
  readonly schema: z.ZodObject<Shape>;
  /** Arguments after the script's name; left out: those of this process. */
  readonly argv?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where --help is written; left out: stdout. */
  readonly print?: (text: string) => void;
}

/**
 * Reads the whole configuration of a service: defaults < --config file < environment < flags.
 * @returns undefined when --help was asked for and has been printed: the caller ends with exit code 0.
 * @throws SluiceError SLUICE_CONFIG_INVALID with every fault, or naming the unknown option.
 */
export function readCommandLine<Shape extends z.ZodRawShape>(line: CommandLine<Shape>): z.output<z.ZodObject<Shape>> | undefined {
  const env = line.env ?? process.env;
  const command = new Command(line.name).description(line.summary).exitOverride().allowExcessArguments(false);
  command.configureOutput({ writeOut: line.print ?? ((text) => process.stdout.write(text)), writeErr: () => undefined });
  command.option('--config <file>', 'YAML or JSON file with the options below as keys (env: SLUICE_CONFIG)');
  for (const field of fieldsOf(line.schema)) command.addOption(optionOf(field));
  try {
    command.parse([...(line.argv ?? process.argv.slice(2))], { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return undefined;
    throw new SluiceError('SLUICE_CONFIG_INVALID', thrown instanceof Error ? thrown.message.replace(/^error: /, '') : String(thrown));
  }
  const { config, ...flags } = command.opts<Record<string, unknown>>();
  return loadConfig(line.schema, { file: (config as string | undefined) ?? env['SLUICE_CONFIG'], env, flags });
}

function optionOf(field: ConfigField): Option {
  const value = field.kind === 'boolean' ? ' [yes]' : ` <${field.choices.length > 0 ? field.choices.join('|') : placeholder(field)}>`;
  const facts = [
    field.required ? 'required' : '',
    field.default === undefined ? '' : `default: ${String(field.default)}`,
    `env: ${field.env}`,
  ];
  return new Option(`${field.flag}${value}`, `${field.description} (${facts.filter(Boolean).join(', ')})`.trim());
}

function placeholder(field: ConfigField): string {
  return { text: 'text', number: 'number', boolean: '', list: 'a,b' }[field.kind];
}

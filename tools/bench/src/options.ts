import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/** Exit code where the command line is not understood, as of most commands of Unix. */
export const misused = 2;

type Values<T extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/**
 * The options of the bench `name`. With `--help` their list is printed and the process ends with 0, with an option that the bench does not
 * have it ends with 2 and the list on the error output.
 */
export function optionsOf<const T extends ParseArgsOptionsConfig>(name: string, options: T): Values<T> {
  const read = readOptions(name, options, process.argv.slice(2));
  if ('values' in read) return read.values;
  if (read.why !== undefined) console.error(read.why);
  (read.why === undefined ? console.log : console.error)(read.usage);
  process.exit(read.why === undefined ? 0 : misused);
}

/** The options, or how they are given and, unless that was asked for, why they were not understood. */
export function readOptions<const T extends ParseArgsOptionsConfig>(
  name: string,
  options: T,
  args: readonly string[],
): { readonly values: Values<T> } | { readonly usage: string; readonly why?: string } {
  const usage = usageOf(name, options);
  if (args.includes('--help') || args.includes('-h')) return { usage };
  try {
    return { values: parseArgs({ args: [...args], options }).values };
  } catch (thrown) {
    return { usage, why: (thrown as Error).message.split('. ')[0]! };
  }
}

/** `usage: npm run bench -- NAME [--out TEXT] [--seeds TEXT, else 5]`. */
function usageOf(name: string, options: ParseArgsOptionsConfig): string {
  const told = Object.entries(options).map(([option, { type, default: usual }]) => {
    const value = type === 'boolean' ? '' : ' TEXT';
    return `  --${option}${value}${typeof usual === 'string' ? `   (${usual})` : ''}`;
  });
  return [`usage: npm run bench -- ${name} [options], in brackets what holds without one`, ...told].join('\n');
}

import { readdirSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { mutants, type Edit, type Mutant } from './mutants.ts';

/** Puts a mutant in the place of the sources. Must be called before anything of them is imported. */
export function alter(mutant: string | undefined): void {
  const chosen = named(mutant);
  const edits = [...(chosen?.edits ?? []), ...(chosen?.without ?? []).flatMap(reverted)];
  registerHooks({
    load(url, context, nextLoad) {
      const fitting = url.startsWith('file:') ? edits.filter(({ file }) => url.endsWith(file)) : [];
      if (fitting.length === 0) return nextLoad(url, context);
      const source = fitting.reduce(apply, readFileSync(fileURLToPath(url), 'utf8'));
      return { format: url.endsWith('.ts') ? 'module-typescript' : 'commonjs', source, shortCircuit: true };
    },
  });
}

function named(name: string | undefined): Mutant | undefined {
  if (name !== undefined && mutants[name] === undefined) throw new Error(`no mutant ${name}; there are ${Object.keys(mutants).join(', ')}`);
  return name === undefined ? undefined : mutants[name];
}

function apply(source: string, { file, find, replace }: Edit): string {
  if (source.split(find).length !== 2) throw new Error(`a mutant no longer fits ${file}: adapt it to the text that stands there now`);
  return source.replace(find, () => replace);
}

const patches = new URL('../../../../../patches/', import.meta.url);

/** The edits that take a patch back, one per hunk. */
function reverted(number: string): Edit[] {
  const name = readdirSync(patches).find((file) => file.includes(`+${number}+`));
  if (name === undefined) throw new Error(`there is no patch ${number}`);
  const text = readFileSync(new URL(encodeURIComponent(name), patches), 'utf8');
  return text
    .split(/^diff --git .*$/m)
    .slice(1)
    .flatMap((section) => {
      const file = /^\+\+\+ b\/(.+)$/m.exec(section)![1]!;
      const hunks = section.split(/^@@ .*$/m).slice(1);
      return hunks.map((hunk) => ({ file, find: side(hunk, '+'), replace: side(hunk, '-') }));
    });
}

/** What stands in a hunk before (-) or after (+) the patch. */
function side(hunk: string, sign: '+' | '-'): string {
  const lines = hunk.split('\n').slice(1);
  return lines.filter((line) => line.startsWith(' ') || line.startsWith(sign)).map((line) => line.slice(1)).join('\n'); // prettier-ignore
}

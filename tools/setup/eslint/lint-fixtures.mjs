/**
 * Lints each boundary fixture as if it stood where its first line says, and prints `{ fixture, breaks, broken }` of all as
 * JSON. A process of its own: ESLint loads its configuration as an ES module, which Jest's realm cannot.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProjectGraphAsync } from '@nx/devkit';
import { ESLint } from 'eslint';

const root = join(import.meta.dirname, '../../..');
const folder = join(import.meta.dirname, '../fixtures/boundaries');

// Without a project graph the boundary rule says nothing at all.
await createProjectGraphAsync();
const eslint = new ESLint({ cwd: root });
const results = [];
for (const file of (await readdir(folder)).sort()) {
  const text = await readFile(join(folder, file), 'utf8');
  const as = /^\/\/ as: (.*)$/m.exec(text)?.[1];
  const breaks = /^\/\/ breaks: (.*)$/m.exec(text)?.[1];
  if (as === undefined || breaks === undefined) throw new Error(`${file} does not say where it stands and which rule it breaks`);
  const [result] = await eslint.lintText(text, { filePath: join(root, as) });
  results.push({ fixture: file, breaks, broken: [...new Set(result.messages.map(({ ruleId, message }) => ruleId ?? message))] });
}
process.stdout.write(JSON.stringify(results));

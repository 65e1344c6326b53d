/**
 * Takes the types out of each TypeScript file once and keeps what is left beside Node's compile cache, under the hash of the source; Node 22 does it anew in
 * each process, which was two fifths of an app's start. `run.mjs` preloads it into everything that it starts; a thread or a process of its own heeds it too.
 */
import * as module from 'node:module';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';

const cache = process.env.NODE_COMPILE_CACHE;
// What we start may start another Node, too old for this.
if (cache !== undefined && module.registerHooks !== undefined) {
  const folder = join(cache, 'stripped', process.version);
  module.registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith('file:') || !url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(url, context);
      return { format: 'module', source: stripped(readFileSync(fileURLToPath(url), 'utf8'), folder), shortCircuit: true };
    },
  });
}

function stripped(source, folder) {
  const kept = join(folder, `${createHash('sha256').update(source).digest('hex')}.js`);
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    const plain = quietly(() => module.stripTypeScriptTypes(source));
    keep(kept, plain);
    return plain;
  }
}

/** Whole or not at all, since others may read it at this moment; where nothing can be written it is stripped anew each time. */
function keep(file, text) {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const draft = `${file}.${process.pid}.${threadId}`;
    writeFileSync(draft, text);
    renameSync(draft, file);
  } catch {
    return;
  }
}

/** Node warns that the function is experimental; that it strips types at all it says no more. */
function quietly(call) {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return call();
  } finally {
    process.emitWarning = emitWarning;
  }
}

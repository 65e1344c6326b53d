import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stateDir } from './state-dir.ts';

export const nativeName = '@tensorflow/tfjs-node-gpu';

/**
 * The native package: the folder that SLUICE_TFJS_NODE names, else the installed one, else what `npm run setup:native` built.
 * By name at run time: it is optional, so neither types nor a bundle may depend on it.
 * @throws Error of Node when there is none.
 */
export function nativePackage(): unknown {
  const load = createRequire(import.meta.url);
  // Release 4.22.0 calls two functions of util that warn in Node 22 and are gone in Node 23 (tensorflow/tfjs pull request 8425).
  Object.assign(load('node:util') as object, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  return load(nativePlace());
}

const bindingFile = 'lib/napi-v8/tfjs_binding.node';

/** Folder or name by which the native package is loaded. */
function nativePlace(): string {
  const named = process.env['SLUICE_TFJS_NODE'];
  if (named !== undefined) return named;
  const built = join(stateDir(), 'native/node_modules', nativeName);
  return existsSync(join(built, bindingFile)) ? built : nativeName;
}

/** Version and age of the binding that would be loaded, without loading it; `none` where there is none. */
export function nativeIdentity(): string {
  try {
    const file = createRequire(import.meta.url).resolve(join(nativePlace(), 'package.json'));
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    return `${version} of ${statSync(join(dirname(file), bindingFile)).mtime.toISOString()}`;
  } catch {
    return 'none';
  }
}

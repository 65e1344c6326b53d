import { join, resolve } from 'node:path';

/** Caches and run folders: SLUICE_HOME, or `.sluice` at the root of the repository. */
export function defaultStateDir(): string {
  const home = process.env['SLUICE_HOME'];
  return home ? resolve(home) : join(import.meta.dirname, '..', '..', '..', '.sluice');
}

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What this machine keeps between runs: SLUICE_HOME, or `.sluice` at the root of the repository. */
export function stateDir(): string {
  return process.env['SLUICE_HOME'] ?? join(dirname(fileURLToPath(import.meta.url)), '../../../.sluice');
}

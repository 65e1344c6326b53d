import { join, resolve } from 'node:path';

/** Where what is set up here goes: SLUICE_HOME, or `.sluice` of this checkout. */
export function stateFolder(): string {
  return resolve(process.env['SLUICE_HOME'] ?? join(import.meta.dirname, '../../../.sluice'));
}

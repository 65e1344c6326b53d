import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '@sluice/domain';

/** Copies a model folder to `to` with changes to its manifest: another version of the same weights. */
export async function copyModel(from: string, to: string, changes: Partial<Manifest>): Promise<void> {
  await cp(from, to, { recursive: true });
  const path = join(to, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest;
  await writeFile(path, `${JSON.stringify({ ...manifest, ...changes }, null, 2)}\n`);
}

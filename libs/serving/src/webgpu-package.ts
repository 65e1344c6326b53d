import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { stateDir } from './state-dir.ts';

/** What computes on a WebGPU adapter: TensorFlow.js's backend, and Dawn, the implementation it runs on. */
export const webgpuNames = { backend: '@tensorflow/tfjs-backend-webgpu', dawn: 'webgpu' } as const;

/** What `npm run setup:webgpu` put there, else what is installed: by name at run time, as both packages are optional. */
export const webgpuRequire = (): NodeJS.Require => createRequire(join(stateDir(), 'webgpu', 'package.json'));

/** Versions of the two packages that would be loaded, without loading them; `none` where one is missing. */
export function webgpuIdentity(): string {
  try {
    return Object.values(webgpuNames)
      .map((name) => (JSON.parse(readFileSync(join(folderOf(name), 'package.json'), 'utf8')) as { version: string }).version)
      .join(' on ');
  } catch {
    return 'none';
  }
}

/** Both keep their main file in their folder or its `dist`. */
function folderOf(name: string): string {
  const main = webgpuRequire().resolve(name);
  return main.slice(0, main.lastIndexOf(join('node_modules', name))) + join('node_modules', name);
}

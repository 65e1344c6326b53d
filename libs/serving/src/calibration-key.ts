import { availableParallelism, cpus } from 'node:os';
import { createRequire } from 'node:module';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nativeIdentity } from './native-package.ts';
import type { ExecutorOptions } from './open-executor.ts';
import { webgpuIdentity } from './webgpu-package.ts';

/** Raise it when an executor, the buckets or the choice among executors changes. */
const revision = 8;
/** TF_ or VK_ alone would take in the settings of other programs. */
const settingNames = /^(TF_(NUM|ENABLE|DISABLE|FORCE|XLA)_.*|OMP_NUM_THREADS|CUDA_VISIBLE_DEVICES|VK_ICD_FILENAMES|VK_DRIVER_FILES)$/;

/** Read once: the system writes a page about each processor. */
const processors = cpus();
const machine = `${availableParallelism()} of ${processors.length} x ${processors[0]?.model ?? 'unknown CPU'}, ${process.platform} ${process.arch}`;

/** Everything that the times of a model depend on. Where any of it differs, a calibration does not count. */
export interface CalibrationKey {
  readonly revision: number;
  /** SHA-256 of the manifest, which states those of the model's other files. */
  readonly digest: string;
  readonly machine: string;
  readonly versions: Readonly<Record<'node' | 'tfjs' | 'wasm' | 'native' | 'webgpu', string>>;
  /** Settings in the environment that TensorFlow or Vulkan heeds. */
  readonly settings: Readonly<Record<string, string>>;
  readonly options: ExecutorOptions;
}

/** The key of a model on this machine, as its next inference thread would find it. */
export function calibrationKey(digest: string, options: ExecutorOptions): CalibrationKey {
  const settings = Object.entries(process.env).filter(([name]) => settingNames.test(name));
  return {
    ...{ revision, digest, options },
    machine,
    versions: {
      node: process.version,
      tfjs: versionOf('@tensorflow/tfjs-core'),
      wasm: versionOf('@tensorflow/tfjs-backend-wasm'),
      native: nativeIdentity(),
      webgpu: webgpuIdentity(),
    },
    settings: Object.fromEntries(settings.sort(([a], [b]) => (a < b ? -1 : 1))) as Record<string, string>,
  };
}

/** In a bundle there are no packages: the bundle's own age stands for them. */
function versionOf(name: string): string {
  try {
    return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
  } catch {
    return `bundle of ${statSync(fileURLToPath(import.meta.url)).mtime.toISOString()}`;
  }
}

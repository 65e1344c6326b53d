/**
 * `npm run setup:native`: builds the native TensorFlow binding into the state folder, from packages that registries serve:
 * the npm package `@tensorflow/tfjs-node-gpu` without its downloads, and the C library inside the TensorFlow wheel for Python.
 * Does nothing when it is there. Workers take it when calibration finds it faster; `npm run sluice -- doctor` says what loads.
 */
import { buildNative } from './src/native/build.ts';

try {
  await buildNative((text) => console.log(text));
} catch (thrown) {
  console.error(`setup:native: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  console.error('Nothing else needs it: models run on WebAssembly.');
  process.exitCode = 1;
}

/**
 * `npm run setup:webgpu`: puts the WebGPU backend of TensorFlow.js and Dawn, which it runs on, into the state folder, from npm. Does nothing when
 * they are there. `npm run sluice -- doctor` says on which adapter they compute; workers take it when calibration finds it faster.
 */
import { installWebgpu } from './src/webgpu/install.ts';

try {
  await installWebgpu((text) => console.log(text));
} catch (thrown) {
  console.error(`setup:webgpu: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  console.error('Nothing else needs it: models run on WebAssembly.');
  process.exitCode = 1;
}

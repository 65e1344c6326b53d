import '@tensorflow/tfjs-backend-cpu';
import { openTrainingBackend } from './backend.ts';
import { Random } from './random.ts';

describe('the convolution gradient taught to WASM', () => {
  it('equals the CPU backend within float rounding, for same and valid padding', async () => {
    const { tf } = await openTrainingBackend('wasm');
    const random = new Random(1);
    const values = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.uniform() - 0.5);
    const [x, w] = [values(3 * 7 * 6 * 2), values(3 * 3 * 2 * 4)];
    const gradient = async (backend: string, pad: 'same' | 'valid'): Promise<number[]> => {
      await tf.setBackend(backend);
      const image = tf.tensor4d(x, [3, 7, 6, 2]);
      const of = tf.grad((filter) => tf.sum(tf.square(tf.conv2d(image, filter as typeof image, 1, pad))));
      return [...of(tf.tensor4d(w, [3, 3, 2, 4])).dataSync()];
    };
    for (const pad of ['same', 'valid'] as const) {
      const [wasm, cpu] = [await gradient('wasm', pad), await gradient('cpu', pad)];
      const scale = Math.max(...cpu.map(Math.abs));
      wasm.forEach((value, i) => expect(Math.abs(value - cpu[i]!) / scale).toBeLessThan(1e-5));
    }
    await tf.setBackend('wasm');
  });
});

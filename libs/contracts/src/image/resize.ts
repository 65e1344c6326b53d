import type { FeatureSpec } from '@sluice/domain';
import type { Pixels } from './decode.ts';

type ImageSpec = Extract<FeatureSpec, { kind: 'image' }>;

/** For each place along one axis: the two source places it lies between, and how much of the second it takes. */
export interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float64Array;
}

/**
 * Where `to` places lie among `from` source places. `bilinear` maps centres of pixels onto centres (as TensorFlow 2's
 * `image.resize`), `bilinear-corners` the corner pixels onto each other (as `resizeBilinear` with `alignCorners`), `nearest` takes the
 * pixel that the centre falls into.
 */
export function tapsOf(from: number, to: number, resize: ImageSpec['resize']): Taps {
  const taps: Taps = { low: new Int32Array(to), high: new Int32Array(to), share: new Float64Array(to) };
  for (let i = 0; i < to; i++) {
    const exact = resize === 'bilinear-corners' ? (to === 1 ? 0 : (i * (from - 1)) / (to - 1)) : ((i + 0.5) * from) / to - 0.5;
    const at = resize === 'nearest' ? Math.floor(exact + 0.5) : Math.max(0, Math.min(from - 1, exact));
    taps.low[i] = Math.min(from - 1, Math.floor(at));
    taps.high[i] = Math.min(from - 1, taps.low[i]! + 1);
    taps.share[i] = at - Math.floor(at);
  }
  return taps;
}

/** Writes the image, resized and scaled as `spec` says, to `row[at, ...)`: row by row, the channels of a pixel side by side. */
export function resizeInto(
  { width, height, channels, data }: Pixels,
  spec: ImageSpec,
  target: { readonly row: Float32Array; readonly at: number },
): void {
  const across = tapsOf(width, spec.width, spec.resize);
  const down = tapsOf(height, spec.height, spec.resize);
  const { row } = target;
  let { at } = target;
  for (let y = 0; y < spec.height; y++) {
    const [top, bottom, dy] = [down.low[y]! * width, down.high[y]! * width, down.share[y]!];
    for (let x = 0; x < spec.width; x++) {
      const [left, right, dx] = [across.low[x]!, across.high[x]!, across.share[x]!];
      const [a, b] = [(top + left) * channels, (top + right) * channels];
      const [c, d] = [(bottom + left) * channels, (bottom + right) * channels];
      const value = (channel: number): number => {
        const above = data[a + channel]! + (data[b + channel]! - data[a + channel]!) * dx;
        const below = data[c + channel]! + (data[d + channel]! - data[c + channel]!) * dx;
        return above + (below - above) * dy;
      };
      if (spec.channels === 1) row[at++] = (0.299 * value(0) + 0.587 * value(1) + 0.114 * value(2)) / spec.divide - spec.subtract;
      else for (let channel = 0; channel < 3; channel++) row[at++] = value(channel) / spec.divide - spec.subtract;
    }
  }
}

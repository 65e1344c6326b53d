import type { Random } from './random.ts';

/** Moves an image by up to `reach` pixels each way (empty pixels come in) and mirrors every second one. */
export function shiftAndFlip(width: number, height: number, reach: number): (row: Float32Array, at: number, random: Random) => void {
  const copy = new Float32Array(width * height);
  return (row, at, random) => {
    const across = random.below(2 * reach + 1) - reach;
    const down = random.below(2 * reach + 1) - reach;
    const mirrored = random.below(2) === 1;
    copy.set(row.subarray(at, at + copy.length));
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const fromX = (mirrored ? width - 1 - x : x) - across;
        const fromY = y - down;
        const inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
        row[at + y * width + x] = inside ? copy[fromY * width + fromX]! : 0;
      }
    }
  };
}

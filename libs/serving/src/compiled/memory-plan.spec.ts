import fc from 'fast-check';
import { placeSteps, shareMemory } from './memory-plan.ts';
import { sourcesOf, type Join, type Shape } from './network.ts';

const step = (from: number, others: readonly number[], output: Shape): Join => ({
  kind: 'join',
  from,
  with: others,
  input: output,
  output,
});

describe('memory of a network', () => {
  const shape = { height: 4, width: 4, channels: 8 };
  const image = 4 * 4 * 8 * 4;

  it('is that of two outputs for layers one behind the other, however many', () => {
    const steps = Array.from({ length: 9 }, (_, i) => step(i - 1, [], shape));
    const { bytes, offsets } = shareMemory(placeSteps({ input: shape, steps }));
    expect(bytes).toBe(2 * image);
    expect(offsets).toEqual(Array.from({ length: 8 }, (_, i) => (i % 2) * image));
  });

  it('keeps what a later layer reads again', () => {
    const steps = [step(-1, [], shape), step(0, [], shape), step(1, [], shape), step(2, [0], shape), step(3, [], shape)];
    const { bytes, offsets } = shareMemory(placeSteps({ input: shape, steps }));
    expect(bytes).toBe(3 * image);
    expect(new Set([offsets[0], offsets[1], offsets[2]]).size).toBe(3);
  });

  it('never gives one place to two outputs that are still to be read', () => {
    const size = fc.integer({ min: 1, max: 9 });
    const one = fc.record({
      output: fc.record({ height: size, width: size, channels: size }),
      sources: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 14 }), (drawn) => {
        const steps = drawn.map(({ output, sources }, i) => {
          const [from, ...others] = sources.map((source) => (source % (i + 1)) - 1) as [number, ...number[]];
          return step(
            from,
            others.filter((other) => other >= 0),
            output,
          );
        });
        const placed = placeSteps({ input: shape, steps });
        const { bytes, offsets } = shareMemory(placed);
        offsets.forEach((start, i) => {
          const end = start + placed[i]!.output.image;
          expect(end).toBeLessThanOrEqual(bytes);
          const lastRead = steps.findLastIndex((each) => sourcesOf(each).includes(i));
          for (let j = i + 1; j <= lastRead && j < offsets.length; j++)
            expect(offsets[j]! >= end || offsets[j]! + placed[j]!.output.image <= start).toBe(true);
        });
      }),
    );
  });
});

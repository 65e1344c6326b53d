import { call, f32x4, FunctionBuilder, get, i32, i32x4, set, type Code, type Local, type ModuleBuilder } from './assembler.ts';
import type { MathCalls } from './tile.ts';

/** Adds the functions of four numbers that WebAssembly does not have. @returns their indexes. */
export function addActivationFunctions(module: ModuleBuilder): MathCalls {
  const sigmoid = addSigmoid(module);
  const f = new FunctionBuilder(['v128'], ['v128']);
  const x = get(f.parameters[0]!);
  // Near zero it is as far from tanh as its neighbours are apart around one, which no model notices.
  const tanh = module.add(f, f32x4.multiplyAdd(call(sigmoid, f32x4.add(x, x)), f32x4.constant(2), f32x4.constant(-1)));
  return { sigmoid, tanh };
}

/** `1 / (1 + exp(-x))`, where beyond 87 it is the same for all. */
function addSigmoid(module: ModuleBuilder): number {
  const f = new FunctionBuilder(['v128'], ['v128']);
  const x = f.parameters[0]!;
  const exp = new Exponential(f);
  const bounded = f32x4.min(f32x4.max(f32x4.negate(get(x)), f32x4.constant(-87)), f32x4.constant(87));
  const one = f32x4.constant(1);
  return module.add(f, [set(x, bounded), f32x4.divide(one, f32x4.add(one, exp.of(x)))]);
}

/** Coefficients from the highest on, for |r| up to half of log 2 (Moshier, Cephes Mathematical Library, expf). */
const coefficients = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];
/** log 2 in two parts, so that what is taken away is exact. */
const log2 = [0.693359375, -2.1219444e-4] as const;
const exponentBits = 23;
const exponentBias = 127;

class Exponential {
  readonly #whole: Local;
  readonly #rest: Local;

  constructor(f: FunctionBuilder) {
    this.#whole = f.local('v128');
    this.#rest = f.local('v128');
  }

  /** `exp(x) = 2^n exp(r)`, x between -87 and 87. */
  of(x: Local): Code {
    const [n, r] = [this.#whole, this.#rest];
    const [first, ...others] = coefficients as [number, ...number[]];
    const polynomial = others.reduce<Code>((sum, next) => f32x4.multiplyAdd(sum, get(r), f32x4.constant(next)), f32x4.constant(first));
    const power = i32x4.shiftLeft(i32x4.add(i32x4.truncate(get(n)), i32x4.constant(exponentBias)), i32.constant(exponentBits));
    return [
      set(n, f32x4.nearest(f32x4.multiply(get(x), f32x4.constant(Math.LOG2E)))),
      set(
        r,
        log2.reduce<Code>((rest, part) => f32x4.multiplyAdd(get(n), f32x4.constant(-part), rest), get(x)),
      ),
      f32x4.multiply(f32x4.multiplyAdd(f32x4.multiply(get(r), get(r)), polynomial, f32x4.add(get(r), f32x4.constant(1))), power),
    ];
  }
}

import { addActivationFunctions } from './activation-functions.ts';
import { call, FunctionBuilder, get, i32, increase, ModuleBuilder, repeatWhile, set, when, type Local } from './assembler.ts';
import { writeBorder } from './border.ts';
import { convolutionKernel, type Kernel, type Packed } from './convolution-kernel.ts';
import { Arena, firstWindow, placeSteps, shareMemory, type Placed } from './memory-plan.ts';
import { vectorFloats, type Combination, type Convolution, type Copy, type Join, type Network, type Pool } from './network.ts';
import { constantsOf } from './pack.ts';
import { copyKernel, depthwiseKernel, combinationKernel, joinKernel, poolKernel, type Source } from './pixel-kernels.ts';
import { panelVectors, type MathCalls } from './tile.ts';
import { engine } from './web-assembly.ts';
import { isWinograd, winogradKernel, winogradScratch, type WinogradPlace } from './winograd-kernel.ts';

/** A network as a WebAssembly module, its memory and how to call it. */
export interface Compiled {
  /** Exports `run(input, output, rows)`: addresses of float32 rows and of the outputs, softmax still to be taken. */
  readonly module: object;
  /** Floats to be written into memory before the first call, by address. */
  readonly constants: ReadonlyMap<number, Float32Array>;
  /** From here on memory is free for rows and outputs. */
  readonly end: number;
  /** Floats between the outputs of two rows. */
  readonly outputDepth: number;
}

/** Rows that go through all layers together: as many as the second cache holds with what the layers put out for them. */
const blockBytes = 512 * 1024;
const mostRows = 32;

/** Everything in memory but the weights themselves: the same for all networks of the same layers. */
interface LaidOut {
  readonly network: Network;
  readonly placed: readonly Placed[];
  /** Where the weights of each step are; undefined where it has none. */
  readonly packed: readonly (Packed | undefined)[];
  /** Where the steps that are computed by fast convolution keep what they transform, one after the other. */
  readonly scratch: Scratch;
  /** Where each step's outputs go, but the last one's. */
  readonly addresses: readonly number[];
  readonly block: number;
}

export function compile(network: Network): Compiled {
  const arena = new Arena();
  const constants = new Map<number, Float32Array>();
  const placed = placeSteps(network);
  const packed = placed.map((each) => {
    const its = constantsOf(each);
    if (!its) return undefined;
    const { weights, bias } = its;
    const addresses = { weights: arena.take(weights.byteLength), bias: arena.take(bias.byteLength) };
    constants.set(addresses.weights, weights).set(addresses.bias, bias);
    return addresses;
  });
  const { bytes, offsets } = shareMemory(placed);
  const block = rowsOfBlock(bytes);
  const shared = arena.take(block * bytes);
  const addresses = offsets.map((offset) => shared + block * offset);
  const scratch = takeScratch(placed, arena);
  const module = moduleOf({ network, placed, packed, scratch, addresses, block });
  return { module, constants, end: arena.end, outputDepth: placed.at(-1)!.output.depth };
}

/** Modules by the layers that they are code for: the next version of a model mostly has the same, and finds the code warm. */
const modules = new Map<string, object>();
const mostModules = 32;

function moduleOf(laidOut: LaidOut): object {
  const key = JSON.stringify(laidOut.network, (_, value: unknown) => (value instanceof Float32Array ? undefined : value));
  const known = modules.get(key);
  if (known) return known;
  if (modules.size >= mostModules) modules.clear();
  const module = new engine.Module(emit(laidOut));
  modules.set(key, module);
  return module;
}

function emit(laidOut: LaidOut): Uint8Array {
  const module = new ModuleBuilder();
  const calls = addActivationFunctions(module);
  const functions = laidOut.placed.map((placed, i) => {
    const { f, code } = kernelOf(i, laidOut, calls);
    return module.add(f, [writeBorder(f, placed), code]);
  });
  addRun(module, functions, laidOut);
  return module.encode();
}

function kernelOf(i: number, { placed, packed, scratch, addresses }: LaidOut, calls: MathCalls): Kernel {
  const each = placed[i]!;
  const source = (step: number): Source => ({ address: addresses[step]!, layout: placed[step]!.output });
  switch (each.step.kind) {
    case 'convolution':
      return isWinograd(each as Placed<Convolution>)
        ? winogradKernel(each as Placed<Convolution>, { packed: packed[i]!, ...scratch }, calls)
        : convolutionKernel(each as Placed<Convolution>, packed[i]!, calls);
    case 'depthwise':
      return depthwiseKernel(each as Placed<Convolution>, packed[i]!, calls);
    case 'max':
    case 'mean':
      return poolKernel(each as Placed<Pool>, packed[i]);
    case 'sum':
    case 'product':
      return combinationKernel(each as Placed<Combination>, source(each.step.with), calls);
    case 'join':
      return joinKernel(each as Placed<Join>, [each.step.from, ...each.step.with].map(source));
    case 'copy':
      return copyKernel(each as Placed<Copy>);
  }
}

type Scratch = Omit<WinogradPlace, 'packed'>;

/** Memory that all fast convolutions share, since they run one after the other. */
function takeScratch(placed: readonly Placed[], arena: Arena): Scratch {
  const needed = placed.filter(hasWeights).filter(isWinograd).map(winogradScratch);
  return {
    inputs: arena.take(Math.max(0, ...needed.map(({ inputs }) => inputs))),
    products: arena.take(Math.max(0, ...needed.map(({ products }) => products))),
    zeros: arena.take(panelVectors * vectorFloats * 4),
  };
}

const hasWeights = (placed: Placed): placed is Placed<Convolution> => 'kernel' in placed.step;

function rowsOfBlock(bytes: number): number {
  const rows = Math.min(mostRows, Math.floor(blockBytes / Math.max(1, bytes)));
  return rows < vectorFloats ? 1 : rows - (rows % vectorFloats);
}

/** Takes the rows block by block through all functions. */
function addRun(module: ModuleBuilder, functions: readonly number[], { network, placed, addresses, block }: LaidOut): void {
  const f = new FunctionBuilder(['i32', 'i32', 'i32']);
  const [input, output, rows] = f.parameters as [Local, Local, Local];
  const now = f.local('i32');
  const { height, width, channels } = network.input;
  const calls = placed.map((each, i) => {
    const { from } = each.step;
    const reads = from < 0 ? get(input) : i32.constant(addresses[from]! + firstWindow(each));
    return call(functions[i]!, reads, i === placed.length - 1 ? get(output) : i32.constant(addresses[i]!), get(now));
  });
  const code = repeatWhile(get(rows), [
    set(now, i32.constant(block)),
    when(i32.less(get(rows), i32.constant(block)), set(now, get(rows))),
    calls,
    increase(input, block * height * width * channels * 4),
    increase(output, block * placed.at(-1)!.output.depth * 4),
    set(rows, i32.subtract(get(rows), get(now))),
  ]);
  module.add(f, code, 'run');
}

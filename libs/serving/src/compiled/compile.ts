import { call, copyMemory, FunctionBuilder, get, i32, increase, ModuleBuilder, repeatWhile, set, when, type Local } from './assembler.ts';
import { convolutionKernel, type Kernel, type Packed, type Placed } from './convolution-kernel.ts';
import { pack } from './pack.ts';
import { Arena, borderedInput, givenLayout, outputLayout, type Layout } from './memory-plan.ts';
import { poolKernel } from './pool-kernel.ts';
import { vectorFloats, type Convolution, type Network, type Pool, type Step } from './network.ts';
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

/** Functions WebAssembly lacks, to be imported. */
export const math = {
  sigmoid: (x: number): number => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
} as const;

interface Stage {
  readonly address: number;
  readonly layout: Layout;
}

/** Everything in memory but the weights themselves: the same for all networks of the same layers. */
interface LaidOut {
  readonly network: Network;
  readonly placed: readonly Placed<Step>[];
  /** Where the weights of each step are; undefined for pools. */
  readonly packed: readonly (Packed | undefined)[];
  /** Where the steps that are computed by fast convolution keep what they transform, one after the other. */
  readonly scratch: Scratch;
  readonly bordered: Layout | undefined;
  readonly stages: readonly Stage[];
  readonly block: number;
}

export function compile(network: Network): Compiled {
  const arena = new Arena();
  const constants = new Map<number, Float32Array>();
  const layouts = network.steps.map((step, i) => outputLayout(step.output, network.steps[i + 1]));
  const bordered = borderedInput(network);
  const inputs = [bordered ?? givenLayout(network.input), ...layouts];
  const placed = network.steps.map((step, i): Placed<Step> => ({ step, input: inputs[i]!, output: layouts[i]! }));
  const packed = placed.map((each) => {
    if (!isConvolution(each)) return undefined;
    const { weights, bias } = pack(each);
    const addresses = { weights: arena.take(weights.byteLength), bias: arena.take(bias.byteLength) };
    constants.set(addresses.weights, weights).set(addresses.bias, bias);
    return addresses;
  });
  const between = [...(bordered ? [bordered] : []), ...layouts.slice(0, -1)];
  const block = rowsOfBlock(between);
  const stages = between.map((layout): Stage => ({ layout, address: arena.take(block * layout.image) }));
  const scratch = takeScratch(placed, arena);
  const module = moduleOf({ network, placed, packed, bordered, scratch, stages, block });
  return { module, constants, end: arena.end, outputDepth: layouts.at(-1)!.depth };
}

/** Modules by the layers that they are code for: the next version of a model mostly has the same, and finds the code warm. */
const modules = new Map<string, object>();
const mostModules = 32;

function moduleOf(laidOut: LaidOut): object {
  const key = JSON.stringify(laidOut.network, (name, value: unknown) => (name === 'kernel' || name === 'bias' ? undefined : value));
  const known = modules.get(key);
  if (known) return known;
  if (modules.size >= mostModules) modules.clear();
  const module = new engine.Module(emit(laidOut));
  modules.set(key, module);
  return module;
}

function emit({ network, placed, packed, bordered, scratch, stages, block }: LaidOut): Uint8Array {
  const module = new ModuleBuilder(Object.keys(math).map((name) => ({ name, parameters: ['f32'], results: ['f32'] })));
  const calls = Object.fromEntries(Object.keys(math).map((name) => [name, module.imported(name)]));
  const functions = placed.map((each, i) => {
    const { f, code } = kernelOf(each, { packed: packed[i], scratch, calls });
    return module.add(f, code);
  });
  if (bordered) functions.unshift(addBorder(module, network, bordered));
  addRun(module, { functions, stages, block, width: inputWidth(network), depth: placed.at(-1)!.output.depth });
  return module.encode();
}

interface KernelPlace {
  readonly packed: Packed | undefined;
  readonly scratch: Scratch;
  readonly calls: MathCalls;
}

function kernelOf(placed: Placed<Step>, { packed, scratch, calls }: KernelPlace): Kernel {
  if (!isConvolution(placed)) return poolKernel(placed as Placed<Pool>);
  return isWinograd(placed) ? winogradKernel(placed, { packed: packed!, ...scratch }, calls) : convolutionKernel(placed, packed!, calls);
}

type Scratch = Omit<WinogradPlace, 'packed'>;

/** Memory that all fast convolutions share, since they run one after the other. */
function takeScratch(placed: readonly Placed<Step>[], arena: Arena): Scratch {
  const needed = placed.filter(isConvolution).filter(isWinograd).map(winogradScratch);
  return {
    inputs: arena.take(Math.max(0, ...needed.map(({ inputs }) => inputs))),
    products: arena.take(Math.max(0, ...needed.map(({ products }) => products))),
    zeros: arena.take(panelVectors * vectorFloats * 4),
  };
}

const inputWidth = ({ input: { height, width, channels } }: Network): number => height * width * channels;

const isConvolution = (placed: Placed<Step>): placed is Placed<Convolution> => placed.step.kind === 'convolution';

function rowsOfBlock(between: readonly Layout[]): number {
  const row = between.reduce((sum, { image }) => sum + image, 0);
  const rows = Math.min(mostRows, Math.floor(blockBytes / Math.max(1, row)));
  return rows < vectorFloats ? 1 : rows - (rows % vectorFloats);
}

/** Copies rows into the middle of a border of zeros. */
function addBorder(module: ModuleBuilder, { input }: Network, bordered: Layout): number {
  const f = new FunctionBuilder(['i32', 'i32', 'i32']);
  const [from, to, rows] = f.parameters as [Local, Local, Local];
  const [lines, line] = f.locals('i32', 2) as [Local, Local];
  const bytes = input.width * input.channels * 4;
  return module.add(
    f,
    repeatWhile(get(rows), [
      set(line, i32.add(get(to), i32.constant(bordered.first))),
      set(lines, i32.constant(input.height)),
      repeatWhile(get(lines), [
        copyMemory(get(line), get(from), i32.constant(bytes)),
        increase(from, bytes),
        increase(line, bordered.line),
        increase(lines, -1),
      ]),
      increase(to, bordered.image),
      increase(rows, -1),
    ]),
  );
}

interface Run {
  readonly functions: readonly number[];
  readonly stages: readonly Stage[];
  readonly block: number;
  readonly width: number;
  readonly depth: number;
}

/** Takes the rows block by block through all functions. */
function addRun(module: ModuleBuilder, { functions, stages, block, width, depth }: Run): void {
  const f = new FunctionBuilder(['i32', 'i32', 'i32']);
  const [input, output, rows] = f.parameters as [Local, Local, Local];
  const now = f.local('i32');
  const calls = functions.map((index, i) =>
    call(
      index,
      i === 0 ? get(input) : i32.constant(stages[i - 1]!.address),
      i === functions.length - 1 ? get(output) : i32.constant(stages[i]!.address),
      get(now),
    ),
  );
  const code = repeatWhile(get(rows), [
    set(now, i32.constant(block)),
    when(i32.less(get(rows), i32.constant(block)), set(now, get(rows))),
    calls,
    increase(input, block * width * 4),
    increase(output, block * depth * 4),
    set(rows, i32.subtract(get(rows), get(now))),
  ]);
  module.add(f, code, 'run');
}

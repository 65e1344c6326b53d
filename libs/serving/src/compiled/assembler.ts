import { engine } from './web-assembly.ts';

/**
 * WebAssembly code as nested bytes, in the order of execution. An expression leaves its value on the stack.
 * Encodings: WebAssembly Core Specification 3.0, chapter 5 (binary format), SIMD and relaxed SIMD included.
 */
export type Code = Uint8Array | readonly (number | Code)[];

export type ValueType = 'i32' | 'v128';
const types: Readonly<Record<ValueType, number>> = { i32: 0x7f, v128: 0x7b };

/** A local of the function under construction, parameters first. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function under construction: hands out its locals. */
export class FunctionBuilder {
  readonly parameters: readonly Local[];
  readonly results: readonly ValueType[];
  readonly #locals: Local[] = [];

  constructor(parameters: readonly ValueType[], results: readonly ValueType[] = []) {
    this.parameters = parameters.map((type, index) => ({ type, index }));
    this.results = results;
  }

  local(type: ValueType): Local {
    const local = { type, index: this.parameters.length + this.#locals.length };
    this.#locals.push(local);
    return local;
  }

  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** The body as the code section holds it: locals, code, end. */
  finish(code: Code): Code {
    const bytes = Uint8Array.from(flatten([vector(this.#locals.map(({ type }) => [1, types[type]])), code, 0x0b]));
    return [unsigned(bytes.length), bytes];
  }
}

/** A module that imports its memory, and exports some of its functions. */
export class ModuleBuilder {
  readonly #functions: (Signature & { readonly name: string | undefined; readonly body: Code })[] = [];

  /** @returns the index by which the function is called. Without a name it is not exported. */
  add(builder: FunctionBuilder, code: Code, name?: string): number {
    const parameters = builder.parameters.map(({ type }) => type);
    return this.#functions.push({ name, parameters, results: builder.results, body: builder.finish(code) }) - 1;
  }

  encode(): Uint8Array<ArrayBuffer> {
    const signature = ({ parameters, results }: Signature): Code => [
      0x60,
      vector(parameters.map((type) => [types[type]])),
      vector(results.map((type) => [types[type]])),
    ];
    const memory: Code = [text('env'), text('memory'), 2, 0, 1];
    const exports = this.#functions.flatMap(({ name }, i): Code[] => (name === undefined ? [] : [[text(name), 0, unsigned(i)]]));
    return Uint8Array.from(
      flatten([
        [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
        section(1, vector(this.#functions.map(signature))),
        section(2, vector([memory])),
        section(3, vector(this.#functions.map((_, i) => unsigned(i)))),
        section(7, vector(exports)),
        section(10, vector(this.#functions.map(({ body }) => body))),
      ]),
    );
  }
}

function section(id: number, content: Code): Code {
  const bytes = Uint8Array.from(flatten(content));
  return [id, unsigned(bytes.length), bytes];
}

const vector = (items: readonly Code[]): Code => [unsigned(items.length), ...items];
const text = (value: string): Code => vector([...Buffer.from(value)].map((byte) => [byte]));

function flatten(code: Code, into: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === 'number') into.push(part);
    else flatten(part, into);
  }
  return into;
}

/** LEB128. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

function signed(value: number): Code {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const float = (value: number): Code => [...new Uint8Array(Float32Array.of(value).buffer)];
const simd = (operation: number): Code => [0xfd, unsigned(operation)];
const bits = (places: readonly number[]): Code => [simd(0x0c), [...new Uint8Array(Int32Array.from(places).buffer)]];
/** Alignment is a hint; floats lie on multiples of four bytes. */
const at = (offset: number): Code => [2, unsigned(offset)];

export const get = ({ index }: Local): Code => [0x20, unsigned(index)];
export const set = ({ index }: Local, value: Code): Code => [value, 0x21, unsigned(index)];
export const call = (index: number, ...values: readonly Code[]): Code => [values, 0x10, unsigned(index)];

export const i32 = {
  constant: (value: number): Code => [0x41, signed(value)],
  add: (a: Code, b: Code): Code => [a, b, 0x6a],
  subtract: (a: Code, b: Code): Code => [a, b, 0x6b],
  multiply: (a: Code, b: Code): Code => [a, b, 0x6c],
  and: (a: Code, b: Code): Code => [a, b, 0x71],
  less: (a: Code, b: Code): Code => [a, b, 0x49],
};

/** Single floats. */
export const f32 = {
  constant: (value: number): Code => [0x43, float(value)],
  store: (address: Code, value: Code): Code => [address, value, 0x38, at(0)],
};

/** Four floats side by side. */
export const f32x4 = {
  load: (address: Code, offset = 0): Code => [address, simd(0x00), at(offset)],
  /** One float of memory in all four places. */
  loadSplat: (address: Code, offset = 0): Code => [address, simd(0x09), at(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, simd(0x0b), at(offset)],
  constant: (value: number): Code => [simd(0x0c), float(value), float(value), float(value), float(value)],
  /** The first so many of the four, zeros in the other places whatever is there. */
  first: (value: Code, count: number): Code => [value, bits([0, 1, 2, 3].map((i) => (i < count ? -1 : 0))), simd(0x4e)],
  nearest: (value: Code): Code => [value, simd(0x6a)],
  negate: (value: Code): Code => [value, simd(0xe1)],
  add: (a: Code, b: Code): Code => [a, b, simd(0xe4)],
  subtract: (a: Code, b: Code): Code => [a, b, simd(0xe5)],
  multiply: (a: Code, b: Code): Code => [a, b, simd(0xe6)],
  divide: (a: Code, b: Code): Code => [a, b, simd(0xe7)],
  /** b where it is smaller, else a: NaN stays NaN in the first place. */
  min: (a: Code, b: Code): Code => [a, b, simd(0xea)],
  /** b where it is larger, else a. */
  max: (a: Code, b: Code): Code => [a, b, simd(0xeb)],
  /** a * b + c, rounded once where engine and processor can. */
  multiplyAdd: (a: Code, b: Code, c: Code): Code => (relaxed ? [a, b, c, simd(0x105)] : [c, a, b, simd(0xe6), simd(0xe4)]),
};

/** Four whole numbers side by side. */
export const i32x4 = {
  constant: (value: number): Code => bits([value, value, value, value]),
  /** Of floats; of what is no number, zero. */
  truncate: (value: Code): Code => [value, simd(0xf8)],
  add: (a: Code, b: Code): Code => [a, b, simd(0xae)],
  shiftLeft: (value: Code, bits: Code): Code => [value, bits, simd(0xab)],
};

/** Whether the engine knows relaxed SIMD: Node 20 does not. */
const relaxed = ((): boolean => {
  const probe = new ModuleBuilder();
  const f = new FunctionBuilder([]);
  const value = f.local('v128');
  probe.add(f, set(value, [get(value), get(value), get(value), simd(0x105)]));
  return engine.validate(probe.encode());
})();

/** Adds to a local. */
export const increase = (local: Local, by: number): Code => set(local, i32.add(get(local), i32.constant(by)));

/** Runs the body, then again while the condition holds. */
export const repeatWhile = (condition: Code, body: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b];

/** Runs the body so many times, at least once; the local counts down to the last with 1, unless there is only one. */
export const repeat = (counter: Local, times: number, body: Code): Code =>
  times === 1 ? body : [set(counter, i32.constant(times)), repeatWhile(get(counter), [body, increase(counter, -1)])];

export const copyMemory = (to: Code, from: Code, bytes: Code): Code => [to, from, bytes, 0xfc, 10, 0, 0];

export const when = (condition: Code, body: Code): Code => [condition, 0x04, 0x40, body, 0x0b];

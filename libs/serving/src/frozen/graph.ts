import { Message } from './protobuf.ts';

/** tensorflow/core/framework/types.proto. */
const types = { float: 1, int32: 3 } as const;
type Type = keyof typeof types;

/** Values of node attributes, by what they are. */
export type Attribute =
  | { readonly type: Type }
  | { readonly text: string }
  | { readonly flag: boolean }
  | { readonly ints: readonly number[] }
  | { readonly int: number };

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** What operations are added to. */
export type Graph = Pick<GraphBuilder, 'placeholder' | 'node' | 'float' | 'constant'>;

/** A TensorFlow graph under construction; nodes are named in the order in which they are added. Field numbers: tensorflow/core/framework. */
export class GraphBuilder {
  readonly #graph = new Message();
  #count = 0;

  /** The batch goes in here: [-1, ...shape]. */
  placeholder(shape: readonly number[]): string {
    return this.#add('Placeholder', [], { dtype: typeValue('float'), shape: new Message().message(7, shapeOf([-1, ...shape])) });
  }

  /** @returns the name of the node, which is the name of its first output. */
  node({ op, inputs, attributes = {} }: NodeSpec): string {
    return this.#add(op, inputs, Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, valueOf(value)])));
  }

  /** One operation over floats. */
  float(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.node({ op, inputs, attributes: { T: { type: 'float' }, ...attributes } });
  }

  constant(values: Float32Array | Int32Array, shape: readonly number[]): string {
    const type: Type = values instanceof Float32Array ? 'float' : 'int32';
    const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const tensor = new Message().integer(1, types[type]).message(2, shapeOf(shape)).bytes(4, content);
    return this.#add('Const', [], { dtype: typeValue(type), value: new Message().message(8, tensor) });
  }

  /** A SavedModel whose one signature runs from `input` to `output`, as the bytes of saved_model.pb. */
  savedModel(ends: {
    readonly input: string;
    readonly output: string;
    readonly shape: readonly number[];
    readonly labels: number;
  }): Uint8Array {
    const info = (name: string, shape: readonly number[]): Message =>
      new Message()
        .text(1, `${name}:0`)
        .integer(2, types.float)
        .message(3, shapeOf([-1, ...shape]));
    const signature = new Message()
      .entry(1, 'rows', info(ends.input, ends.shape))
      .entry(2, 'scores', info(ends.output, [ends.labels]))
      .text(3, 'tensorflow/serving/predict');
    const graph = this.#graph.message(4, new Message().integer(1, 1205));
    const meta = new Message().message(1, new Message().text(4, 'serve')).message(2, graph).entry(5, 'serving_default', signature);
    return new Message().integer(1, 1).message(2, meta).encode();
  }

  #add(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Message>>): string {
    const name = `n${this.#count++}`;
    const node = new Message().text(1, name).text(2, op);
    for (const input of inputs) node.text(3, input);
    for (const [key, value] of Object.entries(attributes)) node.entry(5, key, value);
    this.#graph.message(1, node);
    return name;
  }
}

function valueOf(value: Attribute): Message {
  if ('type' in value) return typeValue(value.type);
  if ('text' in value) return new Message().text(2, value.text);
  if ('flag' in value) return new Message().integer(5, Number(value.flag));
  if ('int' in value) return new Message().integer(3, value.int);
  const list = new Message();
  for (const number of value.ints) list.integer(3, number);
  return new Message().message(1, list);
}

const typeValue = (type: Type): Message => new Message().integer(6, types[type]);

function shapeOf(sizes: readonly number[]): Message {
  const shape = new Message();
  for (const size of sizes) shape.message(2, new Message().integer(1, size));
  return shape;
}

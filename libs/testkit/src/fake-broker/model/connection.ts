import { EventEmitter } from 'node:events';
import { apiByKey, apis, requestHeader, type Api, type ApiName } from '../protocol/apis.ts';
import { int32, Reader, Writer } from '../protocol/codec.ts';
import { newerApi, type ResponseOf } from '../protocol/newer-apis.ts';
import { placeOf } from './cluster.ts';
import type { Asked } from './handler.ts';
import { handlers } from './handlers.ts';
import type { Network, NetworkOptions } from './network.ts';

/** Where the part of a batch begins that its checksum covers; the rest no client can check. */
const checkedFrom = 21;

/** The part of net.Socket that the client uses. */
export class FakeSocket extends EventEmitter {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super();
    this.#connection = connection;
  }

  write(chunk: Buffer): boolean {
    this.#connection.send(chunk);
    return true;
  }

  end(): void {
    this.#connection.end();
  }

  unref(): this {
    return this;
  }
}

export interface ConnectionOptions extends NetworkOptions {
  readonly network: Network;
  readonly client: string;
  readonly node: number;
}

type State = 'opening' | 'open' | 'ended' | 'gone';

/** One TCP connection. The broker answers its requests one after the other, as Kafka's SocketServer does by muting it. */
export class Connection {
  readonly socket: FakeSocket;
  readonly client: string;
  readonly node: number;
  readonly #options: ConnectionOptions;
  #state: State = 'opening';
  #silent = false;
  #isHungUp = false;
  #lastUp = 0;
  #lastDown = 0;
  readonly #requests: Buffer[] = [];
  #isBusy = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.client = options.client;
    this.node = options.node;
    this.socket = new FakeSocket(this);
  }

  open(onConnect: () => void): void {
    const { network, cluster } = this.#options;
    if (network.isDead(this.client)) return;
    this.#later('up', () => {
      if (this.#state !== 'opening') return;
      if (!cluster.isUp(this.node)) return this.#fail('ECONNREFUSED');
      this.#state = 'open';
      onConnect();
      if (this.#isHungUp) this.end();
    });
  }

  send(chunk: Buffer): void {
    if (this.#state === 'ended') return void setTimeout(() => this.socket.emit('error', new Error('write after end')), 0);
    if (this.#state !== 'open' || this.#silent || this.#options.network.isDead(this.client)) return;
    const bytes = Buffer.from(chunk);
    this.#later('up', () => this.#arrive(bytes));
  }

  /** The client hangs up: what it sent before still arrives, and the node hangs up too. As with TCP, one that is not open yet opens first. */
  end(): void {
    this.#isHungUp = true;
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#options.network.forget(this);
    if (!this.#silent) this.#later('up', () => this.#later('down', () => this.socket.emit('end')));
  }

  /** Its process is dead. */
  abandon(): void {
    this.#state = 'ended';
    this.#options.network.forget(this);
    this.socket.removeAllListeners();
    this.socket.on('error', () => undefined);
  }

  reset(): void {
    if (this.#state === 'open' || this.#state === 'opening') this.#fail('ECONNRESET');
  }

  #fail(code: string): void {
    this.#state = 'gone';
    this.#requests.length = 0;
    this.#options.network.forget(this);
    if (this.#options.network.isDead(this.client)) return;
    this.socket.emit('error', Object.assign(new Error(code), { code }));
  }

  #later(way: 'up' | 'down', deliver: () => void): void {
    const arrival = this.#options.network.arrival(this.client, this.node);
    const at = Math.max(arrival, way === 'up' ? this.#lastUp : this.#lastDown);
    if (way === 'up') this.#lastUp = at;
    else this.#lastDown = at;
    setTimeout(deliver, at - Date.now());
  }

  #arrive(request: Buffer): void {
    if (this.#state === 'gone' || !this.#options.cluster.isUp(this.node)) return;
    this.#options.onChunk?.(`${this.client}>${this.node}`, request);
    this.#requests.push(request);
    if (!this.#isBusy) void this.#serve();
  }

  async #serve(): Promise<void> {
    this.#isBusy = true;
    for (let request = this.#requests.shift(); request !== undefined; request = this.#requests.shift()) await this.#answer(request);
    this.#isBusy = false;
  }

  async #answer(request: Buffer): Promise<void> {
    const { cluster, random, network, fate } = this.#options;
    const reader = new Reader(request, 4);
    const header = requestHeader.read(reader);
    const name = apiByKey.get(header.key);
    const api = name === undefined ? undefined : apiOf(name, header.version, cluster.knowsNewer);
    if (name === undefined || api === undefined) throw new Error(`request ${header.key} version ${header.version} is unknown`);
    const { lost, silence, delay = 0 } = fate(this.client, this.node, name);
    if (silence !== undefined) this.#fallSilent(silence);
    if (lost === 'request') return this.#lose();
    const service = random.uniform() ** 3 * 3 * (network.slowness.get(this.node) ?? 1);
    await new Promise<void>((resolve) => setTimeout(resolve, delay + Math.floor(service)));
    if (!cluster.isUp(this.node)) return;
    const handler = handlers[name] as (request: unknown, asked: Asked) => unknown;
    const answer = await handler(api.request.read(reader), { cluster, node: this.node, isNewer: api !== apis[name] });
    if (lost === 'answer') return this.#lose();
    if (name === 'Fetch') this.#spoil(answer as ResponseOf<'Fetch'>);
    if (!this.#silent && this.#state === 'open') this.#reply(frame(header.correlationId, api, answer));
  }

  /** The log keeps its bytes: only what travels is damaged. */
  #spoil({ topics }: ResponseOf<'Fetch'>): void {
    const { random, isDamaged } = this.#options;
    const partitions = topics.flatMap(({ topic, partitions: all }) => all.map((one) => ({ place: placeOf(topic, one.partition), one })));
    const found = partitions.find(({ one }) => one.records!.length > 0);
    if (found === undefined || !isDamaged(this.client, `${found.place} ${found.one.records!.readBigInt64BE(0)}`)) return;
    const records = Buffer.from(found.one.records!);
    const end = 12 + records.readInt32BE(8);
    records[checkedFrom + random.below(end - checkedFrom)]! ^= 1 << random.below(8);
    Object.assign(found.one, { records });
  }

  #fallSilent(ms: number): void {
    this.#silent = true;
    if (ms < Infinity) setTimeout(() => this.reset(), ms);
  }

  #lose(): void {
    if (!this.#silent) this.reset();
  }

  #reply(bytes: Buffer): void {
    this.#later('down', () => {
      if (this.#state !== 'open' || this.#options.network.isDead(this.client)) return;
      this.#options.onChunk?.(`${this.node}>${this.client}`, bytes);
      this.socket.emit('data', bytes);
    });
  }
}

function apiOf(name: ApiName, version: number, knowsNewer: boolean): Api<unknown, unknown> | undefined {
  const known = [apis[name], ...(knowsNewer ? [newerApi(name)] : [])] as readonly (Api<unknown, unknown> | undefined)[];
  return known.find((one) => one?.version === version);
}

function frame(correlationId: number, api: Api<unknown, unknown>, answer: unknown): Buffer {
  const writer = new Writer();
  int32.write(writer, 0);
  int32.write(writer, correlationId);
  api.response.write(writer, answer);
  const bytes = writer.bytes();
  bytes.writeInt32BE(bytes.length - 4, 0);
  return bytes;
}

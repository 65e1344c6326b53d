import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Writes the primitive types of the Kafka protocol (non-flexible versions). */
export class RequestBody {
  readonly #parts: Buffer[] = [];

  int8(value: number): this {
    return this.#push(1, (buffer) => buffer.writeInt8(value));
  }
  int16(value: number): this {
    return this.#push(2, (buffer) => buffer.writeInt16BE(value));
  }
  int32(value: number): this {
    return this.#push(4, (buffer) => buffer.writeInt32BE(value));
  }
  int64(value: bigint): this {
    return this.#push(8, (buffer) => buffer.writeBigInt64BE(value));
  }
  string(value: string): this {
    const bytes = Buffer.from(value);
    this.int16(bytes.length);
    this.#parts.push(bytes);
    return this;
  }
  /** A length (4 bytes) and the bytes. */
  bytes(value: Buffer): this {
    this.int32(value.length);
    this.#parts.push(value);
    return this;
  }
  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }
  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #push(size: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(size);
    write(buffer);
    this.#parts.push(buffer);
    return this;
  }
}

/** Reads the primitive types of the Kafka protocol (non-flexible versions), in order. */
export class ResponseBody {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int8(): number {
    return this.#buffer.readInt8(this.#advance(1));
  }
  int16(): number {
    return this.#buffer.readInt16BE(this.#advance(2));
  }
  int32(): number {
    return this.#buffer.readInt32BE(this.#advance(4));
  }
  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#advance(8));
  }
  /** A string, or null (length -1). */
  string(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    const from = this.#advance(length);
    return this.#buffer.toString('utf8', from, from + length);
  }
  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read);
  }

  #advance(size: number): number {
    const from = this.#at;
    this.#at += size;
    return from;
  }
}

/** One connection to one broker; requests are answered in the order they were sent. */
export interface Wire {
  send(apiKey: number, apiVersion: number, body: RequestBody): Promise<ResponseBody>;
  close(): void;
}

interface Waiting {
  readonly resolve: (body: ResponseBody) => void;
  readonly reject: (error: Error) => void;
}

/** Opens a connection. `address` is host:port; every request must be answered within `timeout` milliseconds. */
export async function openWire(address: string, timeout = 5_000): Promise<Wire> {
  const socket = await dial(address, timeout);
  const waiting: Waiting[] = [];
  const fail = (error: Error): void => {
    for (const one of waiting.splice(0)) one.reject(error);
    socket.destroy();
  };
  readFrames(socket, (frame) => waiting.shift()?.resolve(new ResponseBody(frame.subarray(4))));
  socket.on('error', fail);
  socket.on('close', () => fail(new Error(`${address} closed the connection`)));
  socket.on('timeout', () => fail(new Error(`${address} did not answer within ${timeout} ms`)));
  let correlation = 0;
  return {
    send: (apiKey, apiVersion, body) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error(`the connection to ${address} is closed`));
        waiting.push({ resolve, reject });
        const header = new RequestBody().int16(apiKey).int16(apiVersion).int32(correlation++).string('sluice-probe');
        const request = Buffer.concat([header.finish(), body.finish()]);
        socket.write(new RequestBody().bytes(request).finish());
      }),
    close: () => fail(new Error('closed')),
  };
}

async function dial(address: string, timeout: number): Promise<Socket> {
  const split = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, split), Number(address.slice(split + 1))];
  if (split < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${address} is not host:port`);
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port, timeout });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error(`${address} did not answer within ${timeout} ms`)));
    socket.once('connect', () => {
      socket.removeAllListeners('error').removeAllListeners('timeout');
      resolve(socket);
    });
  });
}

/** Cuts the byte stream at the 4-byte lengths. */
function readFrames(socket: Socket, onFrame: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const size = rest.readInt32BE(0);
      if (rest.length < 4 + size) return;
      onFrame(rest.subarray(4, 4 + size));
      rest = rest.subarray(4 + size);
    }
  });
}

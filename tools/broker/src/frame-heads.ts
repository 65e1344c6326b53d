export interface FrameHead {
  readonly apiKey: number;
  readonly clientId: string | null;
}

const mostHead = 512;

/** Finds the Kafka frames in a stream of bytes that comes in any pieces, and reads the head of each. */
export class FrameHeads {
  readonly #kind: 'request' | 'response';
  readonly #onFrame: (head: FrameHead) => void;
  #pending = Buffer.alloc(0);
  /** Bytes of the present frame still to pass by. */
  #skip = 0;

  /** @param onFrame once per frame, as soon as its head is complete; of a response nothing is known but that it is there. */
  constructor(kind: 'request' | 'response', onFrame: (head: FrameHead) => void) {
    this.#kind = kind;
    this.#onFrame = onFrame;
  }

  read(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, rest.length);
        this.#skip -= passed;
        rest = rest.subarray(passed);
        continue;
      }
      const known = this.#pending.length;
      this.#pending = Buffer.concat([this.#pending, rest.subarray(0, mostHead)]);
      const need = this.#headLength();
      if (this.#pending.length < need) return;
      this.#onFrame(this.#head());
      const end = 4 + this.#pending.readInt32BE(0);
      this.#pending = Buffer.alloc(0);
      // The part of the frame that earlier pieces brought is gone already.
      this.#skip = end - known;
    }
  }

  /** Bytes from the length field to the end of the client id, as far as the pending bytes tell. */
  #headLength(): number {
    if (this.#kind === 'response') return 4;
    if (this.#pending.length < 14) return 14;
    return 14 + Math.max(0, this.#pending.readInt16BE(12));
  }

  #head(): FrameHead {
    if (this.#kind === 'response') return { apiKey: -1, clientId: null };
    const length = this.#pending.readInt16BE(12);
    const clientId = length < 0 ? null : this.#pending.toString('utf8', 14, 14 + length);
    return { apiKey: this.#pending.readInt16BE(4), clientId };
  }
}

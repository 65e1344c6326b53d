import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { SluiceError, type Answer } from '@sluice/domain';
import type { InferValue, Urgency } from './row-queue.ts';
import type { ModelServer } from './server.ts';

type Result = Answer | SluiceError;

/** What an answer and its key take, roughly: seven fields, and 64 characters of digest with the version before them. */
const entryBytes = 400;

/**
 * Answers of a model by version and SHA-256 of the Avro body. Equal requests that come while the first is being answered wait for
 * it. Pays where a batch takes longer than its digests (about half a microsecond each) and requests repeat: a convolutional network behind
 * retries, or a slice that comes again after its transaction failed. Errors are not kept.
 */
export class ResponseCache {
  readonly #server: Pick<ModelServer, 'manifest' | 'infer'>;
  readonly #answers: LRUCache<string, Answer>;
  readonly #pending = new Map<string, Promise<Result>>();
  /** Those that answered, in the order in which they first did. */
  readonly #versions = new Set<string>();
  #rows = 0;
  #hits = 0;

  /** @param bytes most memory that the answers may take. */
  constructor(server: Pick<ModelServer, 'manifest' | 'infer'>, bytes: number) {
    this.#server = server;
    this.#answers = new LRUCache({ max: Math.max(1, Math.floor(bytes / entryBytes)) });
  }

  /** Share of the rows so far that the model was not asked for. */
  get hitRate(): number {
    return this.#rows === 0 ? 0 : this.#hits / this.#rows;
  }

  /** As `ModelServer.infer`. */
  async infer(values: readonly InferValue[], urgency?: Urgency): Promise<readonly Result[]> {
    const { version } = this.#server.manifest;
    const keys = values.map((value) => keyOf(value, version));
    const fresh = new Map<string, InferValue>();
    keys.forEach((key, i) => {
      if (!this.#answers.has(key) && !this.#pending.has(key)) fresh.set(key, values[i]!);
    });
    this.#rows += values.length;
    this.#hits += values.length - fresh.size;
    // Looked up before the model is asked: what is in the cache now may have left it by then.
    const known = keys.map((key) => this.#answers.get(key) ?? this.#pending.get(key));
    if (fresh.size > 0) this.#ask(fresh, urgency);
    return Promise.all(keys.map((key, i) => known[i] ?? this.#pending.get(key)!));
  }

  /** What was last answered to an equal request, the newest version first; undefined when none of it is left. */
  recall(value: InferValue): Answer | undefined {
    for (const version of [...this.#versions].reverse()) {
      const answer = this.#answers.get(keyOf(value, version));
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  #ask(fresh: ReadonlyMap<string, InferValue>, urgency: Urgency | undefined): void {
    const results = this.#server.infer([...fresh.values()], urgency);
    [...fresh].forEach(([key, value], i) => {
      const result = results.then((all) => this.#keep(value, all[i]!)).finally(() => this.#pending.delete(key));
      // Those who wait for it see the rejection; nobody else is to be ended by it.
      result.catch(() => undefined);
      this.#pending.set(key, result);
    });
  }

  /** Under the version that gave the answer, which after a swap is not the one that was looked for. */
  #keep(value: InferValue, result: Result): Result {
    if (result instanceof SluiceError) return result;
    this.#versions.add(result.version);
    this.#answers.set(keyOf(value, result.version), result);
    return result;
  }
}

function keyOf({ value, schema, start }: InferValue, version: string): string {
  return `${version}/${schema}/${hash('sha256', value.subarray(start), 'base64')}`;
}

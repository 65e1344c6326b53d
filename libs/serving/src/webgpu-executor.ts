import { performance } from 'node:perf_hooks';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import type { Manifest } from '@sluice/domain';
import type { io } from '@tensorflow/tfjs-core';
import { ExecutorGone, type Executor } from './executor.ts';
import type { ModelFolder } from './model-folder.ts';
import { messageOf } from './message.ts';
import { webgpuIdentity } from './webgpu-package.ts';

/** What the relay is started with. `answered` counts its answers; whoever asked sleeps on it. */
export interface WebgpuLine {
  readonly port: MessagePort;
  readonly answered: Int32Array;
}

/**
 * The adapter in use. `gpu` is false for one that computes on the CPU (SwiftShader, lavapipe, WARP), and for one that does not say: only a
 * device is a GPU.
 */
export interface WebgpuAdapter {
  readonly gpu: boolean;
  /** What the driver calls it. */
  readonly device: string;
}

/** The process's first word: its adapter, or why it has none. */
export type WebgpuStart = ({ readonly ready: true } & WebgpuAdapter) | { readonly ready: false; readonly why: string };

/** What the process is asked, one thing at a time. */
export type ToWebgpu =
  | { readonly kind: 'load'; readonly manifest: Manifest; readonly artifacts: io.ModelArtifacts }
  | { readonly kind: 'run'; readonly rows: Float32Array; readonly n: number };

/** With the tensors that the process holds, and its resident bytes. `lost` comes unasked, and is the last word. */
export type FromWebgpu =
  | { readonly scores: Float32Array; readonly tensors: number; readonly bytes: number }
  | { readonly failed: string }
  | { readonly lost: string };

/** Milliseconds after which no answer is waited for any more; lanes give up a batch long before. */
const longest = 60_000;

export type WebgpuState = ({ readonly ready: true; readonly host: WebgpuHost } & WebgpuAdapter) | Extract<WebgpuStart, { ready: false }>;

/**
 * Starts a process with a WebGPU adapter. Never throws: an adapter that is not there is a fact to report.
 * @param patience milliseconds that starting, loading a model and all else may take until `unhurried` is called.
 */
export async function openWebgpu(patience = longest): Promise<WebgpuState> {
  if (webgpuIdentity() === 'none') return { ready: false, why: 'it is not installed (npm run setup:webgpu)' };
  const deadline = performance.now() + patience;
  const { port1, port2 } = new MessageChannel();
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const line: WebgpuLine = { port: port2, answered };
  const relay = new Worker(new URL(`./webgpu-relay${extname(fileURLToPath(import.meta.url))}`, import.meta.url), {
    ...{ workerData: line, transferList: [port2], env: process.env },
  });
  const start = await new Promise<WebgpuStart & { readonly pid?: number }>((resolve) => {
    const timer = setTimeout(() => resolve({ ready: false, why: `it did not start within ${patience} ms` }), patience);
    const settle = (message: WebgpuStart): void => (clearTimeout(timer), resolve(message));
    relay.once('error', (error) => settle({ ready: false, why: messageOf(error) }));
    relay.once('message', settle);
  });
  if (!start.ready) {
    await relay.terminate();
    return start;
  }
  // A caller that forgets it is not kept from ending.
  relay.unref();
  const { ready, gpu, device, pid } = start;
  return { ready, gpu, device, host: new WebgpuHost({ port: port1, answered }, { relay, pid: pid!, deadline }) };
}

/** A process with a WebGPU adapter, asked like a function: the caller sleeps. So executors stay synchronous, and the others pay nothing. */
export class WebgpuHost {
  readonly #line: WebgpuLine;
  readonly #relay: Worker;
  readonly #pid: number;
  #deadline: number;
  #lost: string | undefined;
  #holds = { tensors: 0, bytes: 0 };

  constructor(line: WebgpuLine, { relay, pid, deadline }: { readonly relay: Worker; readonly pid: number; readonly deadline: number }) {
    this.#line = line;
    this.#relay = relay;
    this.#pid = pid;
    this.#deadline = deadline;
  }

  /** Tensors in the process, and its resident bytes, as of its last answer. */
  get holds(): { readonly tensors: number; readonly bytes: number } {
    return this.#holds;
  }

  /** From now on each answer may take a minute. */
  unhurried(): void {
    this.#deadline = Infinity;
  }

  /** @throws ExecutorGone when the process is lost or does not answer in time; Error when what was asked fails. */
  ask(message: ToWebgpu, moved: readonly ArrayBuffer[] = []): Float32Array {
    // What is there already was not asked for.
    const reply = this.#lost === undefined ? (this.#receive() ?? this.#exchange(message, moved)) : { lost: this.#lost };
    if ('failed' in reply) throw new Error(reply.failed);
    if ('scores' in reply) {
      this.#holds = reply;
      return reply.scores;
    }
    this.#lost = reply.lost;
    void this.end();
    throw new ExecutorGone(reply.lost);
  }

  /** Ends the process, whatever it does. */
  async end(): Promise<void> {
    this.#lost ??= 'it was closed';
    try {
      process.kill(this.#pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    await this.#relay.terminate();
  }

  #exchange(message: ToWebgpu, moved: readonly ArrayBuffer[]): FromWebgpu {
    const { port, answered } = this.#line;
    const before = Atomics.load(answered, 0);
    port.postMessage(message, moved);
    Atomics.wait(answered, 0, before, Math.max(1, Math.min(longest, this.#deadline - performance.now())));
    return this.#receive() ?? { lost: 'WebGPU did not answer in time' };
  }

  #receive(): FromWebgpu | undefined {
    return (receiveMessageOnPort(this.#line.port) as { message: FromWebgpu } | undefined)?.message;
  }
}

/** Runs a model in a WebGPU process, which ends with it. */
export class WebgpuExecutor implements Executor {
  readonly name = 'webgpu';
  readonly #host: WebgpuHost;
  readonly #width: number;

  /** @throws Error when the model does not load on WebGPU. */
  constructor(host: WebgpuHost, { manifest, artifacts, width }: ModelFolder) {
    this.#host = host;
    this.#width = width;
    host.ask({ kind: 'load', manifest, artifacts });
  }

  get bytes(): number {
    return this.#host.holds.bytes;
  }

  get tensors(): number {
    return this.#host.holds.tensors;
  }

  run(rows: Float32Array, n: number): Float32Array {
    const moved = rows.slice(0, n * this.#width);
    return this.#host.ask({ kind: 'run', rows: moved, n }, [moved.buffer as ArrayBuffer]);
  }

  dispose(): void {
    void this.#host.end();
  }
}

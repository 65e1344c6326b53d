/**
 * Entry of the thread between a WebGPU executor and its process. The executor's caller sleeps until the answer is there, and a thread that sleeps
 * hears nothing of a process: this one listens for it. A file of its own, in sources and in bundles, beside the module that starts it.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { listen } from './host.ts';
import type { FromWebgpu, ToWebgpu, WebgpuLine, WebgpuStart } from './webgpu-executor.ts';

const { port, answered } = workerData as WebgpuLine;
const own = fileURLToPath(import.meta.url);
const child = fork(own.replace(/relay(?=\.\w+$)/, 'process'), { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
const lastWords = listen(child.stderr!);
let first: WebgpuStart | undefined;

child.on('message', (message) => {
  if (first) return pass(message as FromWebgpu);
  first = message as WebgpuStart;
  if (first.ready) start(first);
});
child.on('error', (error) => ended(`its process failed: ${error.message}`));
child.on('close', (code, signal) => ended(`its process ended with ${signal ?? `code ${code}`}${lastWords()}`));
port.on('message', (message: ToWebgpu) => void child.send(message, () => undefined));

function ended(why: string): void {
  if (first?.ready) pass({ lost: why });
  // What Dawn says of its search for adapters is the reason, on the error output.
  else start({ ready: false, why: first ? `${first.why}${lastWords()}` : why });
}

function start(message: WebgpuStart): void {
  parentPort!.postMessage({ ...message, pid: child.pid });
}

function pass(message: FromWebgpu): void {
  port.postMessage(message);
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
}

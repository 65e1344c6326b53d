/** Entry of an inference thread: a file of its own, in sources and in bundles, beside the module that starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadData } from './protocol.ts';
import { serveThread } from './serve-thread.ts';

if (parentPort) void serveThread(parentPort, workerData as ThreadData);

/** Entry of an inference thread: a file of its own, in sources and in bundles, beside the module that starts it. */
import { serveThread } from './serve-thread.ts';

void serveThread();

import { inBackground } from './background.ts';

/** The file that an inference thread starts with. */
const { serveThread } = await inBackground(() => import('./serve-thread.ts'));
await serveThread();

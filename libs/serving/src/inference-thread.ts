import { inBackground } from './background.ts';

/** The file that an inference thread starts with: from its first import on it is in the background of those that serve, until it serves itself. */
await inBackground(async () => {
  const { serveThread } = await import('./serve-thread.ts');
  await serveThread();
});

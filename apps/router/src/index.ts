/** The router as a part: wired by its own process, or by one that runs the whole system. */
export { startRouter, type Router, type RouterOptions } from './app.ts';
export { RouterProcessor, type RouterParts } from './processor.ts';
export { openRetries, type RetryOptions } from './retries.ts';
export { retryTopology, routerTopology } from './topology.ts';
export { observeRouter } from './metrics.ts';

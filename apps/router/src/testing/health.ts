import type { Health } from '@sluice/domain';

/** What a worker of the fast tier says that has nothing to do and no trouble. */
export const quietHealth: Health = {
  ...{ flow: 'mail', model: 'mail-fast', version: '1.0.0', instance: 'one', at: 0, backend: 'wasm', gpu: false },
  ...{ base: 1_000, perRow: 10, queued: 0, served: 0, failed: 0, breakerOpen: false },
  ...{ refusedVersion: '', refusedWhy: '', refusedCode: '', delay: 0 },
};

import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '@sluice/domain';
import type { ModelServer } from '@sluice/serving';

/** A drill: a model that takes `perRow` more for each row, one after the other, and no processor time for it. */
export function slowed(server: Pick<ModelServer, 'manifest' | 'infer'>, perRow: Millis): Pick<ModelServer, 'manifest' | 'infer'> {
  let free = Promise.resolve();
  return {
    get manifest() {
      return server.manifest;
    },
    infer(values, urgency) {
      const turn = free.then(() => sleep(values.length * perRow));
      free = turn;
      return turn.then(() => server.infer(values, urgency));
    },
  };
}

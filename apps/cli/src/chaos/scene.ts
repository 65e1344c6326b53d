import type { Cluster, Exchange, JudgeRecord } from '@sluice/broker';
import type { FlowTopics } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';
import type { Bus } from '@sluice/streaming';
import type { ChildSpec } from '../system/child.ts';
import type { Fleet } from './fleet.ts';
import type { CellProducer } from './producer.ts';

/** Places in a transaction where a process may die. */
export const moments = {
  /** The records are in the log, the app does not know it yet. */
  produced: { apiKey: 0, when: 'response', drop: false },
  /** Records and offsets are in the log, the transaction is open. */
  offsetsSent: { apiKey: 28, when: 'response', drop: false },
  /** The end was asked for and never reached the coordinator. */
  ending: { apiKey: 26, when: 'request', drop: true },
  /** The transaction is committed, the app never hears of it. */
  ended: { apiKey: 26, when: 'response', drop: false },
} as const satisfies Record<string, { apiKey: number; when: Exchange['when']; drop: boolean }>;

export type Moment = keyof typeof moments;

/** Everything a cell may disturb, and how it says what it did. */
export interface Scene {
  readonly cluster: Cluster;
  readonly fleet: Fleet;
  readonly runDir: string;
  /** Requests of the whole stream. */
  readonly events: number;
  readonly bus: Bus;
  readonly flow: Flow;
  readonly topics: FlowTopics;
  readonly producer: Pick<CellProducer, 'hold' | 'release' | 'renew'>;
  /** Next random number of the cell's seed, in [0, 1). */
  readonly random: () => number;
  /** How an instance of this name is started. */
  spec(name: string): ChildSpec;
  /** Resolves when this share of the events is published. */
  at(share: number): Promise<void>;
  /** Notes a fault at this moment. */
  fault(what: string): void;
  /** Reads the requests that are there now, so that the judge knows of them when they are gone. */
  remember(): Promise<readonly JudgeRecord[]>;
  /** Waits until all is answered and judges it; what comes later is judged for itself. */
  chapter(): Promise<void>;
  /** Done when the cell has ended, whatever its end. */
  defer(undo: () => Promise<void>): void;
  /** Kills the instance the next time it reaches this moment of a transaction; resolves when it did. */
  killAt(name: string, moment: Moment): Promise<void>;
}

/** Watches every proxy for the instance's next request or answer of that kind, and kills it there. */
export function killAt({ cluster, fleet }: Pick<Scene, 'cluster' | 'fleet'>, name: string, moment: Moment): Promise<void> {
  const { apiKey, when, drop } = moments[moment];
  return new Promise((resolve) => {
    const onExchange = (exchange: Exchange): 'drop' | undefined => {
      if (exchange.apiKey !== apiKey || exchange.when !== when || !exchange.clientId?.endsWith(`-${name}`)) return undefined;
      for (const { proxy } of cluster.nodes) proxy.onExchange = undefined;
      fleet.signal(name, 'SIGKILL');
      resolve();
      return drop ? 'drop' : undefined;
    };
    for (const { proxy } of cluster.nodes) proxy.onExchange = onExchange;
  });
}

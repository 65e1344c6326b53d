import type { Judgement } from '@sluice/broker';
import type { Flow } from '@sluice/domain';
import type { Publisher } from '@sluice/streaming';
import type { Scene } from '../scene.ts';

export interface Cell {
  readonly name: string;
  /** What is done to the system, in words. */
  readonly says: string;
  readonly brokers: 1 | 3;
  /** Share of malformed records among the requests. */
  readonly poison?: number;
  /** Longest time without an answer that this fault may cause, in seconds. */
  readonly withinSeconds: number;
  /** What is declared otherwise than in the demo's flow. */
  readonly flow?: (flow: Flow) => Flow;
  /** Environment of an app, where it is not that of all. */
  readonly env?: (app: string) => Readonly<Record<string, string>>;
  /** What stands between the stream and the log. */
  readonly producer?: (publisher: Publisher, random: () => number) => Publisher;
  /** Before the apps start. */
  readonly before?: (scene: Scene) => Promise<void>;
  /** While the stream runs. */
  readonly disturb?: (scene: Scene) => Promise<void>;
  /** Hold the examples against the join of the whole log at once. */
  readonly joins?: boolean;
  /** The stream keeps its rate whatever waits; else it waits too when a second's worth of requests is unanswered. */
  readonly keepsPace?: boolean;
  /** Hold the memory of router and workers in the second half of the stream against that in the first. */
  readonly memory?: boolean;
  /** Make every decision again from what was logged. */
  readonly replays?: boolean;
  /** Whether the fault did what it is there for; a cell that met no trouble proves nothing. */
  readonly met?: (
    result: Pick<Judgement, 'expired' | 'drops' | 'predictions'> & {
      readonly restarts: number;
      readonly refusals: Readonly<Record<string, number>>;
    },
  ) => boolean;
}

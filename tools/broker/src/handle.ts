import type { SluiceError } from '@sluice/domain';

/** The rungs of the ladder, best first. */
export type BrokerKind = 'named' | 'jvm' | 'container' | 'memory';

export interface BrokerOptions {
  /** Take this rung or fail. Left out or `auto`: the first that works. */
  readonly choice?: 'jvm' | 'container' | 'memory' | 'auto';
  /** Addresses (host:port, comma separated) of a broker that runs already. Left out: KAFKA_BROKERS, unless a rung is chosen. */
  readonly brokers?: string;
  /** Folder for caches and runs; see `defaultStateDir`. */
  readonly stateDir?: string;
  /** Told in plain words what is being done, and at last which rung was taken. */
  readonly onStep?: (text: string) => void;
  /** Leave the run folder (data and log) where it is after `close`. */
  readonly keep?: boolean;
  /** Last check before the broker is handed over, for example with the caller's own client. Not called on a named broker. */
  readonly warm?: (brokers: string) => Promise<void>;
  /** server.properties of the broker to add or replace (rungs jvm and container). */
  readonly properties?: Readonly<Record<string, string>>;
}

/** What Kafka's own console consumer needs to run here. */
export interface JudgeTools {
  readonly java: string;
  readonly jars: string;
  /** Flags of the JVM. */
  readonly flags: readonly string[];
  /** The reader's class-data archive; the first reading writes it. */
  readonly archive: string;
}

/** A broker that is ready: its coordinators answer. */
export interface BrokerHandle {
  readonly kind: BrokerKind;
  /** Bootstrap addresses; undefined for `memory`, which nobody outside the process can reach. */
  readonly brokers: string | undefined;
  readonly version: string;
  /** Each rung above the one taken, with the reason why it was not. */
  readonly why: readonly string[];
  /** Present where Java and the jars are: the second client for counting. */
  readonly judge?: JudgeTools;
  /** Data and log of the run, for the rungs that have one. */
  readonly runDir?: string;
  /** Process id of the broker (rung jvm), for whoever wants to disturb it. */
  readonly pid?: number;
  /** Resolves, with the end of its log, if the broker dies by itself. */
  readonly failed: Promise<SluiceError>;
  /** Ends what was started and removes the run folder. Can be called again. */
  close(): Promise<void>;
}

/** Marker for a rung that cannot be taken here: the reason in words. */
export interface Unavailable {
  readonly unavailable: string;
}

export const never: Promise<SluiceError> = new Promise(() => {});

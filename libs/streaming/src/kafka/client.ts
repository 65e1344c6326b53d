import { Kafka, logLevel, type ISocketFactory, type logCreator, type RetryOptions } from 'kafkajs';
import { internals, readCommitted, type ClientCluster } from './internals.ts';
import './record-batch/install.ts';
import './transactions-v2/install.ts';

/** Where the driver's log lines go; pino's loggers fit. */
export interface BusLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface KafkaBusOptions {
  /** `host:port` of some brokers of the cluster. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Left out: silent. */
  readonly logger?: BusLogger;
  /** Name of this process among its like: static membership in its groups (KIP-345), and in the broker's logs. */
  readonly instance?: string;
  /** Makes the connections; left out: TCP. Tests put a simulated network here. */
  readonly socketFactory?: ISocketFactory;
}

/** Spelt out everywhere: the client's defaults change under Jest. */
// All of it: what is left out the client takes from defaults that are others where NODE_ENV is `test`.
export const clientRetry: RetryOptions = { initialRetryTime: 50, maxRetryTime: 1_000, factor: 0.2, multiplier: 2, retries: 8 };

/** How old what is known of topics may be: partitions that were added are read after at most this time. */
export const metadataMaxAgeMs = 10_000;

const silent: BusLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/**
 * Everyday answers of a healthy cluster, which kafkajs logs as errors. Every `Response` is among them: whoever asked gets
 * the error too, and logs what it cannot mend.
 */
const everyday =
  /^Response |rebalanc|rejoin|re-join|coordinator is|not aware of this member|correct coordinator|not running|leadership election|Limiting retries/i;

/** Makes kafkajs clients that share address, retry policy and log, and nothing else: its clients share offsets within one `Kafka`. */
export class Clients {
  readonly logger: BusLogger;
  readonly #options: KafkaBusOptions;

  constructor(options: KafkaBusOptions) {
    this.#options = options;
    this.logger = options.logger ?? silent;
  }

  get instance(): string | undefined {
    return this.#options.instance;
  }

  kafka(): Kafka {
    const { brokers, socketFactory } = this.#options;
    return new Kafka({
      ...this.#connection(),
      brokers: [...brokers],
      logLevel: logLevel.INFO,
      logCreator: this.#logCreator,
      ...(socketFactory === undefined ? {} : { socketFactory }),
    });
  }

  /** The client's connection layer without a group: for reading partitions by position. */
  cluster(): ClientCluster {
    return new internals.Cluster({
      ...this.#connection(),
      brokers: [...this.#options.brokers],
      enforceRequestTimeout: true,
      socketFactory: this.#options.socketFactory ?? internals.socketFactory(),
      logger: internals.createLogger({ level: logLevel.INFO, logCreator: this.#logCreator }),
      metadataMaxAge: metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      isolationLevel: readCommitted,
    });
  }

  #connection() {
    const { clientId, instance } = this.#options;
    return {
      clientId: instance === undefined ? clientId : `${clientId}-${instance}`,
      connectionTimeout: 3_000,
      requestTimeout: 10_000,
      retry: clientRetry,
    };
  }

  readonly #logCreator: logCreator = () => {
    const { logger } = this;
    return ({ namespace, level, log }) => {
      const { message, timestamp: _, logger: __, stack: ___, ...fields } = log as Record<string, unknown> & { message: string };
      const quiet = level > logLevel.WARN || everyday.test(message) || everyday.test(String(fields['error'] ?? ''));
      logger[quiet ? 'debug' : 'warn']({ event: 'kafka-client', namespace, ...fields }, message);
    };
  };
}

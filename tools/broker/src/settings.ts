/** Where a broker listens and keeps its data. Everything is bound to loopback. */
export interface BrokerSettings {
  readonly port: number;
  readonly controllerPort: number;
  readonly dataDir: string;
  /** Present when clients come through a mapped port, as into a container. */
  readonly mapped?: MappedPort;
}

export interface MappedPort {
  /** host:port that clients are told. */
  readonly advertised: string;
  /**
   * The broker must also reach itself, and the mapped address does not lead back in: its transaction coordinator would
   * answer every transactional write with NOT_ENOUGH_REPLICAS (19). So it talks to itself on a listener of its own.
   */
  readonly internalPort: number;
}

/** Largest record the broker accepts, in bytes: above every flow's own limit, so that dead letters with their headers fit. */
export const maxMessageBytes = 2 * 1024 * 1024;

/** Partitions of the two coordinator topics: few, because each is a log to create and load at every start. */
export const coordinatorPartitions = 4;

/** Renders server.properties of a single-node KRaft broker. `overrides` win. */
export function serverProperties(settings: BrokerSettings, overrides: Readonly<Record<string, string>> = {}): string {
  const properties: Record<string, string | number | boolean> = {
    ...quorum(settings),
    ...listeners(settings),
    ...oneReplica,
    'log.dirs': settings.dataDir,
    'auto.create.topics.enable': false,
    'group.initial.rebalance.delay.ms': 0,
    'message.max.bytes': maxMessageBytes,
    'replica.fetch.max.bytes': maxMessageBytes,
    'num.io.threads': 2,
    'num.network.threads': 2,
    'num.recovery.threads.per.data.dir': 1,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    'log.cleaner.backoff.ms': 5_000,
    ...overrides,
  };
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${String(value)}`);
  return lines.join('\n') + '\n';
}

function quorum({ controllerPort }: BrokerSettings): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
  };
}

function listeners({ port, controllerPort, mapped }: BrokerSettings): Record<string, string> {
  const controller = `CONTROLLER://127.0.0.1:${controllerPort}`;
  const plain = 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT';
  if (mapped === undefined) {
    return {
      listeners: `PLAINTEXT://127.0.0.1:${port},${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'listener.security.protocol.map': plain,
      'inter.broker.listener.name': 'PLAINTEXT',
    };
  }
  const internal = `INTERNAL://127.0.0.1:${mapped.internalPort}`;
  return {
    listeners: `PLAINTEXT://0.0.0.0:${port},${internal},${controller}`,
    'advertised.listeners': `PLAINTEXT://${mapped.advertised},${internal}`,
    'listener.security.protocol.map': `${plain},INTERNAL:PLAINTEXT`,
    'inter.broker.listener.name': 'INTERNAL',
  };
}

/** One broker cannot hold the three replicas that Kafka's defaults ask for. */
const oneReplica = {
  'default.replication.factor': 1,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': coordinatorPartitions,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': coordinatorPartitions,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 1,
};

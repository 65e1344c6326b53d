/** Where a broker listens and keeps its data. Everything is bound to loopback. */
export interface BrokerSettings {
  readonly port: number;
  readonly controllerPort: number;
  readonly dataDir: string;
  /** Address that clients are told; left out: 127.0.0.1:port. */
  readonly advertised?: string;
  /** Address to listen on; left out: 127.0.0.1. A container listens on 0.0.0.0 inside its own network. */
  readonly host?: string;
}

/** Largest record the broker accepts, in bytes: above every flow's own limit, so that dead letters with their headers fit. */
export const maxMessageBytes = 2 * 1024 * 1024;

/** Partitions of the two coordinator topics: few, because each is a log to create and load at every start. */
export const coordinatorPartitions = 4;

/** Renders server.properties of a single-node KRaft broker. `overrides` win. */
export function serverProperties(settings: BrokerSettings, overrides: Readonly<Record<string, string>> = {}): string {
  const host = settings.host ?? '127.0.0.1';
  const properties: Record<string, string | number | boolean> = {
    ...quorum(settings, host),
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

function quorum(settings: BrokerSettings, host: string): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${settings.controllerPort}`,
    listeners: `PLAINTEXT://${host}:${settings.port},CONTROLLER://127.0.0.1:${settings.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${settings.advertised ?? `127.0.0.1:${settings.port}`}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
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

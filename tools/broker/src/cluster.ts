import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '@sluice/domain';
import { guard } from './at-exit.ts';
import { lastLines, runCommand } from './command.ts';
import type { BrokerHandle, JudgeTools } from './handle.ts';
import { endJvm, exitOf, startJvm, tailOf, untilListening } from './jvm-process.ts';
import { judgeTools, prepareKafka } from './jvm.ts';
import { reach } from './kafka-api.ts';
import { classPath } from './kafka-jars.ts';
import { KafkaProxy } from './kafka-proxy.ts';
import { freePorts } from './ports.ts';
import { archiveFile, archiveFlags, formatFrom, newClusterId, quickJvm, type PreparedKafka } from './prepared.ts';
import { openRun, type RunFolder } from './run-folder.ts';
import { serverProperties } from './settings.ts';
import { defaultStateDir } from './state-dir.ts';
import { warmCoordinators } from './coordinators.ts';

export interface ClusterOptions {
  /** Brokers, each a controller too. Three hold every record, offset and transaction three times, two of them at once. */
  readonly brokers: 1 | 3;
  readonly stateDir?: string;
  readonly onStep?: (text: string) => void;
  readonly properties?: Readonly<Record<string, string>>;
}

interface Ports {
  /** For whoever tests: no proxy in between, and what brokers tell each other. */
  readonly direct: number;
  readonly proxied: number;
  readonly controller: number;
}

/** Local brokers that can be killed, stopped, started again and, for clients that come through the proxies, cut off. */
export class Cluster {
  readonly nodes: readonly ClusterNode[];
  readonly judge: JudgeTools;
  readonly #run: RunFolder;
  readonly #unguard: () => void;

  private constructor(nodes: readonly ClusterNode[], judge: JudgeTools, run: RunFolder) {
    this.nodes = nodes;
    this.judge = judge;
    this.#run = run;
    this.#unguard = guard({ close: () => this.close(), abandon: () => nodes.forEach((node) => node.abandon()) });
  }

  /** @throws SluiceError SLUICE_BROKER_FAILED where neither Java nor the jars can be had, or a broker does not come up. */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const stateDir = options.stateDir ?? defaultStateDir();
    const kafka = await prepareKafka(stateDir, options.onStep ?? (() => undefined));
    if ('unavailable' in kafka) throw new SluiceError('SLUICE_BROKER_FAILED', `a local cluster cannot be had here: ${kafka.unavailable}`);
    const run = openRun(stateDir, false);
    const free = await freePorts(3 * options.brokers);
    const ports = Array.from({ length: options.brokers }, (_, i) => {
      const [direct, proxied, controller] = free.slice(3 * i) as [number, number, number];
      return { direct, proxied, controller };
    });
    const shared = { kafka, run, stateDir, ports, clusterId: newClusterId(), properties: options.properties ?? {} };
    const nodes = await Promise.all(ports.map(async (own, i) => new ClusterNode(i, shared, await KafkaProxy.open(own.proxied))));
    const cluster = new Cluster(nodes, judgeTools(stateDir, kafka), run);
    try {
      await Promise.all(nodes.map((node) => node.start()));
      for (const node of nodes) await cluster.#warm(node);
    } catch (thrown) {
      await cluster.close();
      throw thrown;
    }
    return cluster;
  }

  /** Addresses without a proxy in between. */
  get brokers(): string {
    return this.nodes.map((node) => node.address).join(',');
  }

  /** Addresses of the proxies. */
  get proxied(): string {
    return this.nodes.map(({ proxy }) => `127.0.0.1:${proxy.port}`).join(',');
  }

  /** As the judge wants it. */
  get handle(): Pick<BrokerHandle, 'brokers' | 'judge' | 'kind'> {
    return { kind: 'jvm', brokers: this.brokers, judge: this.judge };
  }

  /** Runs one of Kafka's own command-line tools, as an operator would. @throws SluiceError SLUICE_BROKER_FAILED with what it said. */
  async tool(name: 'TopicCommand' | 'DeleteRecordsCommand', args: readonly string[]): Promise<void> {
    const { java, jars, flags } = this.judge;
    const main = ['-cp', classPath(jars), `org.apache.kafka.tools.${name}`, '--bootstrap-server', this.brokers];
    const { code, stdout, stderr } = await runCommand(java, [...flags, ...main, ...args], { timeout: 60_000 });
    if (code !== 0 || /^Error/m.test(stdout))
      throw new SluiceError('SLUICE_BROKER_FAILED', `${name} ${args.join(' ')}: ${lastLines(stdout + stderr)}`);
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    this.#unguard();
    this.#run.remove();
  }

  /** A group or a transaction may have its coordinator on any broker; each is asked for its own. */
  async #warm(node: ClusterNode): Promise<void> {
    if (this.nodes.length === 1) return warmCoordinators(node.address);
    const fault = await reach(node.address, 20_000);
    if (fault !== undefined) throw new SluiceError('SLUICE_BROKER_FAILED', `${node.address} does not answer: ${fault}`);
  }
}

interface Shared {
  readonly kafka: PreparedKafka;
  readonly run: RunFolder;
  readonly stateDir: string;
  readonly ports: readonly Ports[];
  readonly clusterId: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** One broker of a cluster, over all its lives. */
export class ClusterNode {
  readonly proxy: KafkaProxy;
  readonly address: string;
  readonly #index: number;
  readonly #shared: Shared;
  readonly #logFile: string;
  readonly #properties: string;
  #life: { readonly child: ChildProcess; readonly ended: Promise<string> } | undefined;

  constructor(index: number, shared: Shared, proxy: KafkaProxy) {
    this.proxy = proxy;
    this.#index = index;
    this.#shared = shared;
    const { run, ports, kafka } = shared;
    this.address = `127.0.0.1:${ports[index]!.direct}`;
    this.#logFile = join(run.dir, `broker-${index + 1}.log`);
    this.#properties = join(run.dir, `broker-${index + 1}.properties`);
    const dataDir = join(run.dir, `data-${index + 1}`);
    formatFrom(kafka.template, dataDir);
    nameNode(join(dataDir, 'meta.properties'), { clusterId: shared.clusterId, node: index + 1 });
    const { direct, controller } = ports[index]!;
    writeFileSync(this.#properties, serverProperties({ port: direct, controllerPort: controller, dataDir }, this.#overrides()));
  }

  /** Whether the process runs. */
  get alive(): boolean {
    return this.#life !== undefined;
  }

  async start(): Promise<void> {
    if (this.alive) return;
    const { kafka, stateDir, run, ports } = this.#shared;
    const flags = ['-Xms96m', '-Xmx320m', ...quickJvm, ...archiveFlags(archiveFile(stateDir, 'broker', kafka.java))];
    const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true'];
    const args = [...flags, ...logging, '-cp', classPath(kafka.jars), 'kafka.Kafka', this.#properties];
    const child = startJvm({ java: kafka.java.command, args, logFile: this.#logFile });
    const ended = exitOf(child);
    this.#life = { child, ended };
    void ended.then(() => (this.#life = this.#life?.child === child ? undefined : this.#life));
    if (child.pid !== undefined) run.addChild(child.pid);
    const fault = await untilListening(ports[this.#index]!.direct, ended, 60_000);
    if (fault !== undefined) {
      throw new SluiceError(
        'SLUICE_BROKER_FAILED',
        `broker ${this.#index + 1} did not come up: ${fault}. Its log ends: ${tailOf(this.#logFile)}`,
      );
    }
  }

  /** Ends the process without any warning; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#life?.ended;
  }

  /** SIGSTOP makes a broker that is there and does nothing. */
  signal(signal: NodeJS.Signals): void {
    this.#life?.child.kill(signal);
  }

  abandon(): void {
    this.signal('SIGKILL');
  }

  async close(): Promise<void> {
    await this.proxy.close();
    if (this.#life === undefined) return;
    this.signal('SIGCONT');
    // Nothing of it is kept, and three controllers that leave in turn wait for each other. Only a process that not even SIGKILL ends is waited for in vain.
    await Promise.race([endJvm(this.#life.child, this.#life.ended, 3_000), sleep(10_000, undefined, { ref: false })]);
  }

  #overrides(): Record<string, string> {
    const { ports, properties } = this.#shared;
    const { direct, proxied, controller } = ports[this.#index]!;
    const brokers = ports.length;
    const listeners = [`DIRECT://127.0.0.1:${direct}`, `PROXIED://127.0.0.1:${proxied}`];
    return {
      'node.id': String(this.#index + 1),
      'controller.quorum.voters': ports.map((one, i) => `${i + 1}@127.0.0.1:${one.controller}`).join(','),
      listeners: [...listeners, `CONTROLLER://127.0.0.1:${controller}`].join(','),
      'advertised.listeners': `DIRECT://127.0.0.1:${direct},PROXIED://127.0.0.1:${this.proxy.port}`,
      'listener.security.protocol.map': 'DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'DIRECT',
      ...(brokers > 1 && replicated(brokers)),
      ...properties,
    };
  }
}

/** Every log three times, two copies before a write counts; a dead broker is noticed in seconds, not the nine of Kafka's default. */
function replicated(brokers: number): Record<string, string> {
  const copies = String(brokers);
  return {
    'default.replication.factor': copies,
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': '2',
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '500',
    'controller.quorum.fetch.timeout.ms': '1500',
    'controller.quorum.election.timeout.ms': '800',
    'replica.lag.time.max.ms': '5000',
    'unclean.leader.election.enable': 'false',
  };
}

function nameNode(file: string, { clusterId, node }: { readonly clusterId: string; readonly node: number }): void {
  const text = readFileSync(file, 'utf8')
    .replace(/^cluster\.id=.*$/m, `cluster.id=${clusterId}`)
    .replace(/^node\.id=.*$/m, `node.id=${node}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${randomBytes(16).toString('base64url').replace(/^-/, 'a')}`);
  writeFileSync(file, text);
}

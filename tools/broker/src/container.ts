import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '@sluice/domain';
import type { StartedTestContainer } from 'testcontainers';
import { guard } from './at-exit.ts';
import { lastLines, runCommand } from './command.ts';
import { warmCoordinators } from './coordinators.ts';
import type { BrokerHandle, BrokerOptions, Unavailable } from './handle.ts';
import { findEngine, findImage, imageJars } from './image.ts';
import { judgeTools, prepareKafka } from './jvm.ts';
import { reach } from './kafka-api.ts';
import { kafkaVersion } from './kafka-jars.ts';
import { quickJvm, newClusterId } from './prepared.ts';
import { openRun } from './run-folder.ts';
import type { RunFolder } from './run-folder.ts';
import { serverProperties } from './settings.ts';

const clientPort = 9092;
const propertiesFile = '/tmp/server.properties';
const waiting = 'sluice: waiting for the address to advertise';

/**
 * Starts Apache Kafka in a container, in two steps: the mapped port, which clients must be told, is known only once the
 * container runs, so it waits in a shell until its properties are copied in.
 * @throws SluiceError SLUICE_BROKER_FAILED with the end of the container's log.
 */
export async function startContainerBroker(stateDir: string, options: BrokerOptions): Promise<BrokerHandle | Unavailable> {
  const onStep = options.onStep ?? (() => {});
  const engine = await findEngine();
  if ('unavailable' in engine) return engine;
  const found = await findImage(onStep);
  if (typeof found === 'string') return { unavailable: found };
  const { startLoopbackContainer } = await import('./loopback-container.ts').catch(() => ({ startLoopbackContainer: undefined }));
  if (startLoopbackContainer === undefined) return { unavailable: 'the npm package testcontainers is not installed' };
  onStep(`Starting ${found.image} on container engine ${engine.version}`);
  const run = openRun(stateDir, options.keep ?? false);
  const { container, address } = await startLoopbackContainer({
    image: found.image,
    port: clientPort,
    command: entry(),
    ready: waiting,
    onCreated: (id) => run.addContainer(id),
  });
  const life = new ContainerLife(container, run);
  try {
    const brokers = await release(container, address, options);
    const tools = await prepareKafka(stateDir, onStep).catch(() => ({ unavailable: 'no second client' }));
    const judge = 'unavailable' in tools ? {} : { judge: judgeTools(stateDir, tools) };
    const version = `${kafkaVersion} (${found.image})`;
    return { kind: 'container', brokers, version, why: [], runDir: run.dir, failed: life.failed(), close: () => life.close(), ...judge };
  } catch (error) {
    const log = await life.log();
    await life.close();
    throw new SluiceError('SLUICE_BROKER_FAILED', `Apache Kafka did not come up in its container. Its log ends: ${log}`, { cause: error });
  }
}

/** Removes containers that a killed run has left. */
export async function removeContainers(ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await runCommand('docker', ['rm', '--force', '--volumes', ...ids], { timeout: 60_000 });
}

function entry(): string {
  const java = `java -Xms128m -Xmx384m ${quickJvm.join(' ')} -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '${imageJars}/*'`;
  const format = `${java} kafka.tools.StorageTool format --ignore-formatted -t ${newClusterId()} -c ${propertiesFile}`;
  return `echo '${waiting}'; until [ -f ${propertiesFile} ]; do sleep 0.05; done; ${format} && exec ${java} kafka.Kafka ${propertiesFile}`;
}

/** Tells the container its address and waits until the coordinators answer there. */
async function release(container: StartedTestContainer, brokers: string, options: BrokerOptions): Promise<string> {
  const mapped = { advertised: brokers, internalPort: 9094 };
  const settings = { port: clientPort, controllerPort: 9093, dataDir: '/tmp/kafka-data', mapped };
  // Copied under another name and moved, so that the waiting shell never sees half a file.
  const content = serverProperties(settings, options.properties);
  await container.copyContentToContainer([{ content, target: `${propertiesFile}.new`, mode: 0o644 }]);
  await container.exec(['mv', `${propertiesFile}.new`, propertiesFile]);
  const until = Date.now() + 90_000;
  // The engine's own proxy takes connections before Kafka does: only an answer counts.
  for (let fault = await reach(brokers, 2_000); fault !== undefined; fault = await reach(brokers, 2_000)) {
    if (Date.now() > until) throw new Error(fault);
    await sleep(50);
  }
  await warmCoordinators(brokers);
  await options.warm?.(brokers);
  return brokers;
}

/** From start to end of one container and its run folder. */
class ContainerLife {
  readonly #container: StartedTestContainer;
  readonly #run: RunFolder;
  readonly #unguard: () => void;
  #closing: Promise<void> | undefined;

  constructor(container: StartedTestContainer, run: RunFolder) {
    this.#container = container;
    this.#run = run;
    this.#unguard = guard({ close: () => this.close(), abandon: () => this.#abandon() });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async log(): Promise<string> {
    const { stdout, stderr } = await runCommand('docker', ['logs', '--tail', '8', this.#container.getId()]);
    return lastLines(stdout + stderr, 8);
  }

  /** Resolves when the container stops without being asked to. `docker wait` must not keep this process alive. */
  failed(): Promise<SluiceError> {
    const watch = spawn('docker', ['wait', this.#container.getId()], { stdio: 'ignore' });
    watch.unref();
    return new Promise((resolve) => {
      watch.once('error', () => {});
      watch.once('exit', () => {
        if (this.#closing !== undefined) return;
        void this.log().then((log) =>
          resolve(new SluiceError('SLUICE_BROKER_FAILED', `Apache Kafka's container ended. Its log ends: ${log}`)),
        );
      });
    });
  }

  async #close(): Promise<void> {
    await this.#container.stop({ timeout: 5_000, remove: true, removeVolumes: true });
    this.#unguard();
    this.#run.remove();
  }

  #abandon(): void {
    spawnSync('docker', ['rm', '--force', '--volumes', this.#container.getId()], { stdio: 'ignore', timeout: 20_000 });
    this.#run.remove();
  }
}

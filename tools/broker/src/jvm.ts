import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '@sluice/domain';
import { guard } from './at-exit.ts';
import type { BrokerHandle, BrokerOptions, JudgeTools, Unavailable } from './handle.ts';
import { findJava } from './java.ts';
import { endJvm, exitOf, startJvm, tailOf, untilListening } from './jvm-process.ts';
import { classPath, ensureJars, kafkaVersion } from './kafka-jars.ts';
import { freePorts } from './ports.ts';
import { archiveFile, archiveFlags, ensureTemplate, formatFrom, quickJvm } from './prepared.ts';
import type { PreparedKafka } from './prepared.ts';
import { warmCoordinators } from './coordinators.ts';
import { openRun } from './run-folder.ts';
import type { RunFolder } from './run-folder.ts';
import { serverProperties } from './settings.ts';

const portTaken = 'Address already in use';

/** Java and the jars, fetched if need be. */
export async function prepareKafka(stateDir: string, onStep: (text: string) => void): Promise<PreparedKafka | Unavailable> {
  const java = await findJava(stateDir, onStep);
  if (typeof java === 'string') return { unavailable: java };
  const fetched = await ensureJars(stateDir, java, onStep);
  if (typeof fetched === 'string') return { unavailable: fetched };
  return { java, jars: fetched.jars, template: await ensureTemplate(stateDir, java, fetched.jars) };
}

/** What the second client runs on, given what the broker runs on. */
export function judgeTools(stateDir: string, kafka: Pick<PreparedKafka, 'java' | 'jars'>): JudgeTools {
  const flags = ['-Xmx192m', ...quickJvm, '-Xlog:cds=off', '-Xlog:cds+dynamic=off', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  return { java: kafka.java.command, jars: kafka.jars, flags, archive: archiveFile(stateDir, 'reader', kafka.java) };
}

/**
 * Starts Apache Kafka as a process of this machine and waits until its coordinators answer.
 * @throws SluiceError SLUICE_BROKER_FAILED with the end of its log.
 */
export async function startJvmBroker(stateDir: string, kafka: PreparedKafka, options: BrokerOptions): Promise<BrokerHandle> {
  options.onStep?.(`Starting Apache Kafka ${kafkaVersion} on Java ${kafka.java.major} (${kafka.java.origin})`);
  for (let tries = 1; ; tries++) {
    const started = await startOnce(stateDir, kafka, options);
    if ('close' in started) return started;
    // Between choosing a free port and listening on it, somebody else may have taken it.
    if (!started.log.includes(portTaken) || tries === 3) {
      throw new SluiceError('SLUICE_BROKER_FAILED', `Apache Kafka did not come up: ${started.fault}. Its log ends: ${started.tail}`);
    }
  }
}

interface FailedStart {
  readonly fault: string;
  readonly log: string;
  readonly tail: string;
}

async function startOnce(stateDir: string, kafka: PreparedKafka, options: BrokerOptions): Promise<BrokerHandle | FailedStart> {
  const [port, controllerPort] = (await freePorts(2)) as [number, number];
  const run = openRun(stateDir, options.keep ?? false);
  const logFile = join(run.dir, 'broker.log');
  const propertiesFile = join(run.dir, 'server.properties');
  const dataDir = join(run.dir, 'data');
  formatFrom(kafka.template, dataDir);
  writeFileSync(propertiesFile, serverProperties({ port, controllerPort, dataDir }, options.properties));
  const training = new Training(archiveFile(stateDir, 'broker', kafka.java), run.dir);
  const args = [...jvmFlags(run, training), '-cp', classPath(kafka.jars), 'kafka.Kafka', propertiesFile];
  const child = startJvm({ java: kafka.java.command, args, logFile });
  const ended = exitOf(child);
  if (child.pid !== undefined) run.addChild(child.pid);
  const life = new BrokerLife({ child, ended, run, training });
  const brokers = `127.0.0.1:${port}`;
  const fault = (await untilListening(port, ended, 60_000)) ?? (await warmUp(brokers, options));
  if (fault !== undefined) {
    const log = existsSync(logFile) ? readFileSync(logFile, 'utf8') : '';
    const tail = tailOf(logFile);
    await life.close();
    return { fault, log, tail };
  }
  return {
    kind: 'jvm',
    brokers,
    version: kafkaVersion,
    why: [],
    judge: judgeTools(stateDir, kafka),
    runDir: run.dir,
    pid: child.pid as number,
    failed: life.failed(logFile),
    close: () => life.close(),
  };
}

function jvmFlags(run: RunFolder, training: Training): string[] {
  const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true'];
  return ['-Xms128m', '-Xmx384m', ...quickJvm, ...training.flags, ...logging, `-XX:ErrorFile=${join(run.dir, 'crash.log')}`];
}

async function warmUp(brokers: string, options: BrokerOptions): Promise<string | undefined> {
  try {
    await warmCoordinators(brokers);
    await options.warm?.(brokers);
    return undefined;
  } catch (error) {
    return `it listens, but ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The first run that ends in good order leaves the class-data archive for all later ones. */
class Training {
  readonly flags: readonly string[];
  readonly #archive: string;
  readonly #fresh: string | undefined;

  constructor(archive: string, runDir: string) {
    this.#archive = archive;
    const known = archiveFlags(archive);
    this.#fresh = known.length > 0 ? undefined : join(runDir, 'classes.jsa');
    this.flags = this.#fresh === undefined ? known : [`-XX:ArchiveClassesAtExit=${this.#fresh}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
  }

  /** Milliseconds to wait for the JVM's end: writing the archive takes about two seconds. */
  get patience(): number {
    return this.#fresh === undefined ? 10_000 : 30_000;
  }

  keep(): void {
    if (this.#fresh === undefined || !existsSync(this.#fresh)) return;
    mkdirSync(join(this.#archive, '..'), { recursive: true });
    renameSync(this.#fresh, this.#archive);
  }
}

interface BrokerParts {
  readonly child: ChildProcess;
  readonly ended: Promise<string>;
  readonly run: RunFolder;
  readonly training: Training;
}

/** From start to end of one broker process and its folder. */
class BrokerLife {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  readonly #run: RunFolder;
  readonly #training: Training;
  readonly #unguard: () => void;
  #closing: Promise<void> | undefined;

  constructor({ child, ended, run, training }: BrokerParts) {
    this.#child = child;
    this.#ended = ended;
    this.#run = run;
    this.#training = training;
    this.#unguard = guard({ close: () => this.close(), abandon: () => this.#abandon() });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async failed(logFile: string): Promise<SluiceError> {
    const exit = await this.#ended;
    if (this.#closing !== undefined) return await new Promise<never>(() => {});
    return new SluiceError('SLUICE_BROKER_FAILED', `Apache Kafka died (${exit}). Its log ends: ${tailOf(logFile)}`);
  }

  async #close(): Promise<void> {
    const clean = await endJvm(this.#child, this.#ended, this.#training.patience);
    if (clean) this.#training.keep();
    this.#unguard();
    this.#run.remove();
  }

  #abandon(): void {
    this.#child.kill('SIGKILL');
    this.#run.remove();
    // The last write of a dying JVM may come after the removal: once more.
    if (existsSync(this.#run.dir)) rmSync(this.#run.dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

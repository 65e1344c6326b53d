import { mkdirSync } from 'node:fs';
import { describeError, SluiceError, toSluiceError } from '@sluice/domain';
import type { BrokerHandle, BrokerKind, BrokerOptions, Unavailable } from './handle.ts';
import { never } from './handle.ts';
import { judgeTools, prepareKafka, startJvmBroker } from './jvm.ts';
import { reach } from './kafka-api.ts';
import { endOrphans } from './run-folder.ts';
import { defaultStateDir } from './state-dir.ts';

type Rung = (stateDir: string, options: BrokerOptions) => Promise<BrokerHandle | Unavailable>;

const rungs: Readonly<Record<Exclude<BrokerKind, 'named'>, Rung>> = {
  jvm: async (stateDir, options) => {
    const kafka = await prepareKafka(stateDir, options.onStep ?? ignore);
    return 'unavailable' in kafka ? kafka : await startJvmBroker(stateDir, kafka, options);
  },
  container: async (stateDir, options) => {
    const { startContainerBroker } = await import('./container.ts');
    return await startContainerBroker(stateDir, options);
  },
  memory: async () => memory,
};

const memory: BrokerHandle = {
  kind: 'memory',
  brokers: undefined,
  version: 'in-memory driver (one process, nothing is durable)',
  why: [],
  failed: never,
  close: async () => {},
};

/**
 * Opens the best broker there is: the one named, a local JVM process, a container, or none (`memory`).
 * @throws SluiceError SLUICE_BROKER_UNREACHABLE when a named broker does not answer, SLUICE_BROKER_FAILED when a chosen rung
 * cannot be taken.
 */
export async function openBroker(options: BrokerOptions = {}): Promise<BrokerHandle> {
  const stateDir = options.stateDir ?? defaultStateDir();
  const onStep = options.onStep ?? ignore;
  const choice = options.choice ?? 'auto';
  const named = options.brokers ?? (choice === 'auto' ? process.env['KAFKA_BROKERS'] : undefined);
  if (named) return await openNamed(named, stateDir, onStep);
  mkdirSync(stateDir, { recursive: true });
  for (const orphan of endOrphans(stateDir)) await reportOrphan(orphan, onStep);
  if (choice !== 'auto') return await openChosen(choice, stateDir, options);
  const why = ['named: neither --brokers nor KAFKA_BROKERS is set'];
  for (const kind of ['jvm', 'container', 'memory'] as const) {
    const opened = await tryRung(kind, stateDir, options);
    if (!('unavailable' in opened)) return announce({ ...opened, why }, onStep);
    why.push(`${kind}: ${opened.unavailable}`);
    onStep(`No broker by ${kind}: ${opened.unavailable}`);
  }
  throw new SluiceError('SLUICE_BROKER_FAILED', why.join('; '));
}

async function tryRung(kind: Exclude<BrokerKind, 'named'>, stateDir: string, options: BrokerOptions): Promise<BrokerHandle | Unavailable> {
  try {
    return await rungs[kind](stateDir, options);
  } catch (error) {
    return { unavailable: describeError(toSluiceError(error, 'SLUICE_BROKER_FAILED')) };
  }
}

async function openChosen(choice: 'jvm' | 'container' | 'memory', stateDir: string, options: BrokerOptions): Promise<BrokerHandle> {
  const opened = await rungs[choice](stateDir, options);
  if ('unavailable' in opened)
    throw new SluiceError('SLUICE_BROKER_FAILED', `--broker ${choice} cannot be had here: ${opened.unavailable}`);
  return announce({ ...opened, why: [`${choice} was asked for: no other rung was tried`] }, options.onStep ?? ignore);
}

/** A broker that somebody else runs: it is neither warmed nor closed by us. */
async function openNamed(brokers: string, stateDir: string, onStep: (text: string) => void): Promise<BrokerHandle> {
  const fault = await reach(brokers);
  if (fault !== undefined) throw new SluiceError('SLUICE_BROKER_UNREACHABLE', `Nobody speaks Kafka at ${brokers}: ${fault}.`);
  const tools = await prepareKafka(stateDir, onStep).catch(() => ({ unavailable: 'no second client' }));
  const judge = 'unavailable' in tools ? {} : { judge: judgeTools(stateDir, tools) };
  return announce({ kind: 'named', brokers, version: 'as named', why: [], failed: never, close: async () => {}, ...judge }, onStep);
}

function announce(handle: BrokerHandle, onStep: (text: string) => void): BrokerHandle {
  const where = handle.brokers === undefined ? '' : ` at ${handle.brokers}`;
  const reasons = handle.why.length === 0 ? '' : ` (${handle.why.join('; ')})`;
  onStep(`Broker: ${handle.kind}, ${handle.version}${where}${reasons}`);
  return handle;
}

async function reportOrphan(orphan: ReturnType<typeof endOrphans>[number], onStep: (text: string) => void): Promise<void> {
  if (orphan.containers.length > 0) {
    const { removeContainers } = await import('./container.ts');
    await removeContainers(orphan.containers);
  }
  const what = [...orphan.processes.map((pid) => `process ${pid}`), ...orphan.containers.map((id) => `container ${id.slice(0, 12)}`)];
  if (what.length > 0) onStep(`Ended what a killed run had left: ${what.join(', ')}`);
}

function ignore(): void {}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { SluiceError } from '@sluice/domain';
import { lastLines } from './command.ts';
import { formatterProperties, parseConsoleRecord, recordCutter } from './console-format.ts';
import type { JudgeRecord } from './console-format.ts';
import type { BrokerHandle, JudgeTools } from './handle.ts';
import { endJvm, exitOf } from './jvm-process.ts';
import { classPath } from './kafka-jars.ts';
import { partitionEnds } from './partition-ends.ts';
import type { PartitionEnd } from './partition-ends.ts';

export interface JavaReadOptions {
  readonly handle: Pick<BrokerHandle, 'brokers' | 'judge' | 'kind'>;
  readonly topic: string;
  /** Bring the values too; left out: no. */
  readonly values?: boolean;
  /** Milliseconds for the whole reading; left out: two minutes. */
  readonly timeout?: number;
}

/**
 * Reads everything of a topic that is committed when called, with Kafka's own console consumer: a client that shares no code
 * with ours. Records come in offset order within each partition.
 * @throws SluiceError SLUICE_JUDGE_FAILED where there is no Java, or the reading did not reach the end.
 */
export async function readWithJava(options: JavaReadOptions): Promise<JudgeRecord[]> {
  const { handle, topic } = options;
  if (handle.judge === undefined || handle.brokers === undefined) {
    throw new SluiceError('SLUICE_JUDGE_FAILED', `The broker (${handle.kind}) has no Java client beside it.`);
  }
  try {
    const ends = await partitionEnds(handle.brokers, topic);
    if (ends.every(({ lastVisible }) => lastVisible < 0)) return [];
    return await consume(handle.judge, { ...options, brokers: handle.brokers, ends });
  } catch (error) {
    throw new SluiceError('SLUICE_JUDGE_FAILED', `Kafka's console consumer could not read ${topic}.`, { cause: error });
  }
}

/** One reading: what to read, from where, and how far. */
interface Reading extends JavaReadOptions {
  readonly brokers: string;
  readonly ends: readonly PartitionEnd[];
}

async function consume(tools: JudgeTools, reading: Reading): Promise<JudgeRecord[]> {
  const fresh = existsSync(tools.archive) ? undefined : `${tools.archive}.${process.pid}-${reading.topic}`;
  const flags = fresh === undefined ? [`-XX:SharedArchiveFile=${tools.archive}`] : [`-XX:ArchiveClassesAtExit=${fresh}`];
  const args = [...tools.flags, ...flags, '-cp', classPath(tools.jars), ...consumerArgs(reading)];
  const child = spawn(tools.java, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = exitOf(child);
  try {
    return await collect(child, ended, reading);
  } finally {
    // An archive is only written by a JVM that ends in good order; without one to write there is nothing to wait for.
    const clean = await endJvm(child, ended, fresh === undefined ? 0 : 20_000);
    if (clean && fresh !== undefined && existsSync(fresh)) renameSync(fresh, tools.archive);
  }
}

function consumerArgs({ brokers, topic, values }: Reading): string[] {
  const settings = ['max.poll.records=5000', 'fetch.max.wait.ms=50', 'enable.metrics.push=false'];
  return [
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
    ...settings.flatMap((setting) => ['--command-property', setting]),
    ...formatterProperties(values ?? false).flatMap((property) => ['--formatter-property', property]),
  ];
}

/** Gathers records until every partition's last visible one has come, or fails with what the tool said. */
async function collect(child: ChildProcess, ended: Promise<string>, reading: Reading): Promise<JudgeRecord[]> {
  const { ends, topic, timeout = 120_000 } = reading;
  const records: JudgeRecord[] = [];
  const endOf = new Map(ends.map(({ partition, end }) => [partition, end]));
  const missing = new Map(ends.filter(({ lastVisible }) => lastVisible >= 0).map(({ partition, lastVisible: last }) => [partition, last]));
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaints = lastLines(complaints + chunk.toString(), 20)));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the end was not reached within ${timeout / 1000} s: ${complaints}`)), timeout);
    void ended.then((exit) => reject(new Error(`it ended early (${exit}): ${complaints}`))).finally(() => clearTimeout(timer));
    const cut = recordCutter((text) => {
      const record = parseConsoleRecord(topic, text);
      if (record.offset >= (endOf.get(record.partition) ?? 0)) return;
      records.push(record);
      if (record.offset >= (missing.get(record.partition) ?? Infinity)) missing.delete(record.partition);
      if (missing.size === 0) resolve();
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      try {
        cut(chunk);
      } catch (error) {
        reject(error);
      }
    });
  });
  return records;
}

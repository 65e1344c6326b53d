import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultStateDir, kafkaVersion } from '@sluice/broker';
import { codecs } from '@sluice/contracts';
import { fingerprint } from '@sluice/contracts';
import type { Job } from './job.ts';
import { costs, flowOf, policyOf } from './workload.ts';

const peer = join(import.meta.dirname, '..', '..', 'peers', 'streams');

/** Where the built Kafka Streams program lies. */
export interface StreamsPeer {
  readonly classPath: string;
  readonly policy: string;
}

/** Fetches the artifacts with the ordinary `mvn` client and compiles the program, once. Returns why not, where it cannot. */
export function prepareStreams(): StreamsPeer | string {
  const home = join(defaultStateDir(), 'kafka', kafkaVersion);
  const [jars, classes] = [join(home, 'streams-jars'), join(home, 'streams-peer')];
  mkdirSync(classes, { recursive: true });
  if (!existsSync(jars)) {
    const goal = ['-q', '-B', '-f', join(peer, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
    if (spawnSync('mvn', goal, { stdio: 'ignore' }).status !== 0) return 'mvn could not fetch kafka-streams';
  }
  const libraries = readdirSync(jars)
    .map((name) => join(jars, name))
    .join(':');
  const [source, compiled] = [join(peer, 'src', 'RouterPeer.java'), join(classes, 'RouterPeer.class')];
  if (!existsSync(compiled) || statSync(compiled).mtimeMs < statSync(source).mtimeMs) {
    const { status, stderr } = spawnSync('javac', ['-d', classes, '-cp', libraries, source], { encoding: 'utf8' });
    if (status !== 0) return `javac: ${stderr ?? 'not found'}`;
  }
  const policy = join(classes, 'policy.txt');
  writeFileSync(policy, policyLines());
  return { classPath: `${classes}:${libraries}`, policy };
}

/** Marker of the tag's schema, the two heads, relative costs, then threshold, audit rate and audit key: one line each. */
function policyLines(): string {
  const flow = flowOf('bench');
  const { heads, threshold, auditRate } = policyOf(flow);
  const marker = Buffer.alloc(10);
  marker.writeUInt16BE(0xc301, 0);
  marker.writeBigUInt64LE(fingerprint(codecs.Tag.schema), 2);
  return [
    marker.toString('hex'),
    ...heads.map(({ weights }) => weights.join(' ')),
    costs.join(' '),
    [threshold, auditRate, flow.audit.key].join(' '),
  ].join('\n');
}

/** The command that runs it. */
export function streamsCommand({ classPath, policy }: StreamsPeer, job: Job, threads: number): [string, string[]] {
  const args = [job.brokers, job.input, job.run, String(job.events ?? 0), policy, String(threads)];
  return ['java', ['-Xmx512m', '-XX:+UseSerialGC', '-cp', classPath, 'RouterPeer', ...args]];
}

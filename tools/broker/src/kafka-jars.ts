import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lastLines, runCommand } from './command.ts';
import type { JavaRuntime } from './java.ts';

/** The list of artifacts, the only place that names the version of Kafka. */
const pom = join(import.meta.dirname, '..', 'pom.xml');

/** The version of Apache Kafka that pom.xml pins. */
export const kafkaVersion = readVersion();

function readVersion(): string {
  const match = /<kafka\.version>([^<]+)</.exec(readFileSync(pom, 'utf8'));
  if (match?.[1] === undefined) throw new Error(`${pom} names no kafka.version`);
  return match[1];
}

/** Where everything of this Kafka version is cached: jars, a formatted data folder, class-data archives. */
export function kafkaHome(stateDir: string): string {
  return join(stateDir, 'kafka', kafkaVersion);
}

/** The class path of all jars, in a fixed order: a class-data archive is only valid for the very same path. */
export function classPath(jars: string): string {
  const names = readdirSync(jars).filter((name) => name.endsWith('.jar'));
  return names
    .sort()
    .map((name) => join(jars, name))
    .join(':');
}

/** Fetches the jars with the `mvn` client once. Returns the folder, or the reason why there is none. */
export async function ensureJars(
  stateDir: string,
  java: JavaRuntime,
  onStep: (text: string) => void,
): Promise<{ readonly jars: string } | string> {
  const jars = join(kafkaHome(stateDir), 'jars');
  if (existsSync(jars)) return { jars };
  onStep(`Fetching Apache Kafka ${kafkaVersion} (about 45 MB, once)`);
  mkdirSync(dirname(jars), { recursive: true });
  const work = mkdtempSync(`${jars}-`);
  try {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${work}`];
    const env = java.origin === 'PATH' ? {} : { JAVA_HOME: dirname(dirname(java.command)) };
    const mvn = await runCommand('mvn', ['--quiet', '--batch-mode', '--file', pom, ...goal], { env });
    if (mvn.code === 127) return 'the jars of Apache Kafka are not cached, and there is no `mvn` client to fetch them';
    if (mvn.code !== 0) return `mvn could not fetch the jars of Apache Kafka: ${lastLines(mvn.stdout + mvn.stderr, 3)}`;
    // Two first starts at once: whoever is second finds the folder taken and uses it.
    if (!existsSync(jars)) renameSync(work, jars);
    return { jars };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

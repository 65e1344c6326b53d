import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastLines, runCommand } from './command.ts';
import type { Unavailable } from './handle.ts';
import { kafkaVersion } from './kafka-jars.ts';

/** Built here from Debian packages and the jars; needs no image registry. */
export const localImage = `sluice/kafka:${kafkaVersion}`;
/** The project's own image, for machines that can pull. Its jars lie in the same folder as in ours. */
export const publicImage = `apache/kafka:${kafkaVersion}`;
export const imageJars = '/opt/kafka/libs';

/** The container engine that answers, by its version. */
export async function findEngine(): Promise<{ readonly version: string } | Unavailable> {
  const { code, stdout, stderr } = await runCommand('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 15_000 });
  if (code === 0) return { version: stdout.trim() };
  return { unavailable: `no container engine answers (${lastLines(stderr, 1) || 'docker info failed'})` };
}

/** The image to start a broker from: the local one, the public one, or the reason why there is none. */
export async function findImage(onStep: (text: string) => void): Promise<{ readonly image: string } | string> {
  for (const image of [localImage, publicImage]) if (await hasImage(image)) return { image };
  onStep(`Pulling ${publicImage}`);
  const pull = await runCommand('docker', ['pull', '--quiet', publicImage], { timeout: 180_000 });
  if (pull.code === 0) return { image: publicImage };
  const reason = lastLines(pull.stderr, 1);
  return `the engine has neither ${localImage} (build it: tools/broker/engine.sh) nor ${publicImage} (pulling failed: ${reason})`;
}

export async function hasImage(image: string): Promise<boolean> {
  const { code } = await runCommand('docker', ['image', 'inspect', '--format', '{{.Id}}', image], { timeout: 20_000 });
  return code === 0;
}

/** Builds the local image: a minimal Debian with a Java runtime, and the jars. Root on Debian, about a minute, once. */
export async function buildImage(jars: string, onStep: (text: string) => void): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'sluice-image-'));
  const tree = join(work, 'root');
  try {
    onStep(`Building ${localImage}: a minimal Debian with a Java runtime`);
    const packages = ['--variant=minbase', '--include=default-jre-headless'];
    const bootstrap = await runCommand('debootstrap', [...packages, codename(), tree]);
    if (bootstrap.code !== 0)
      throw new Error(`debootstrap ended with ${bootstrap.code}: ${lastLines(bootstrap.stdout + bootstrap.stderr)}`);
    for (const ballast of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
      rmSync(join(tree, ballast), { recursive: true, force: true });
    }
    mkdirSync(join(tree, imageJars), { recursive: true });
    cpSync(jars, join(tree, imageJars), { recursive: true });
    await importTree(tree);
    onStep(`Built ${localImage}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The release this machine runs: the one whose archive its own package sources surely reach. */
function codename(): string {
  const match = /^VERSION_CODENAME=(\S+)/m.exec(readFileSync('/etc/os-release', 'utf8'));
  if (match?.[1] === undefined) throw new Error('/etc/os-release names no release of Debian');
  return match[1];
}

async function importTree(tree: string): Promise<void> {
  const tar = spawn('tar', ['--directory', tree, '--create', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const docker = spawn('docker', ['import', '-', localImage], { stdio: [tar.stdout, 'ignore', 'inherit'] });
  const [packed, imported] = await Promise.all([once(tar, 'exit'), once(docker, 'exit')]);
  if (packed[0] !== 0 || imported[0] !== 0) throw new Error(`docker import ended with ${imported[0]}, tar with ${packed[0]}`);
}

import { spawn } from 'node:child_process';

/** Runs a command to its end. @throws Error with the last lines that it wrote when it fails or is not there. */
export function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const written: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => written.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => written.push(chunk.toString()));
    child.on('error', (cause) => reject(new Error(`${command} cannot be run: ${cause.message}`, { cause })));
    child.on('close', (code) => {
      const text = written.join('').trim();
      if (code === 0) resolve(text);
      else reject(new Error(`${command} ended with code ${code}:\n${text.split('\n').slice(-12).join('\n')}`));
    });
  });
}

const needed = [
  { command: 'python3', args: ['-m', 'pip', '--version'], what: 'Python 3 with pip, to fetch the TensorFlow wheel' },
  { command: 'g++', args: ['--version'], what: 'g++, to compile the binding' },
  { command: 'npm', args: ['--version'], what: 'npm' },
] as const;

/** What has to be installed first, in words; undefined when nothing is missing. */
export async function whatIsMissing(platform: string = process.platform): Promise<string | undefined> {
  if (platform !== 'linux') return `the native binding is built on Linux only, this is ${platform}`;
  const found = await Promise.all(needed.map(({ command, args }) => run(command, args, '.').then(() => true, () => false))); // prettier-ignore
  const missing = needed.filter((_, i) => !found[i]).map(({ what }) => what);
  return missing.length > 0 ? `it needs ${missing.join('; ')}` : undefined;
}

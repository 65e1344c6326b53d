import { spawn } from 'node:child_process';
import { join } from 'node:path';

const main = join(__dirname, '../src/fake-broker/simulation/main.ts');

/** Runs `npm run sim` with these arguments, in a process of its own: its clock and its chance are not those of the tests. */
export function simulate(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk: Buffer) => void (output += String(chunk));
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

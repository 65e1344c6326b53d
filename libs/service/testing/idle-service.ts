/** A service that does nothing, for tests of how a real process ends. `parent` starts another one under itself. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runService } from '../src/index.ts';

if (process.argv[2] === 'parent') {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    env: { ...process.env, SLUICE_PARENT_PID: String(process.pid) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.once('data', () => console.log(child.pid));
  setInterval(() => undefined, 1000);
} else {
  await runService({ name: 'idle', start: async () => ({ close: async () => undefined, ready: () => true }) });
}

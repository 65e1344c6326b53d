/** npm's postinstall: applies patches/ and records that the installation is complete. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markInstalled } from './install.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const patched = spawnSync(process.execPath, [join(root, 'node_modules/patch-package/index.js'), '--error-on-fail'], {
  cwd: root,
  stdio: 'inherit',
});
if (patched.status !== 0) process.exit(patched.status ?? 1);
markInstalled(root);

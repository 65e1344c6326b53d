import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const minimum = { node: [20, 11], npm: [10, 0] };
const stamp = 'node_modules/.sluice-setup';

/** The Node that the repository pins as a package. */
export function pinnedNode(root) {
  return join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** Why the dependencies must be installed, or undefined when they are as package-lock.json and patches/ want them. */
export function installNeeded(root) {
  if (!existsSync(join(root, 'node_modules'))) return 'first start';
  if (!existsSync(pinnedNode(root))) return 'the pinned Node is missing';
  const file = join(root, stamp);
  if (!existsSync(file)) return 'an installation that did not end';
  return readFileSync(file, 'utf8') === fingerprint(root) ? undefined : 'dependencies have changed';
}

/** Records that node_modules is what this checkout wants; called by npm's postinstall. */
export function markInstalled(root) {
  writeFileSync(join(root, stamp), fingerprint(root));
}

/** @throws Error with the end of npm's output and what to do. */
export async function install(root, reason) {
  const npm = npmCommand();
  checkVersions(npm);
  const fresh = !existsSync(join(root, 'node_modules/.package-lock.json'));
  if (!fresh) removePatched(root);
  // What stands is changed in place: `npm ci` would take the packages away from programs that run.
  const { code, output } = await withProgress(reason, () =>
    runNpm(npm, [fresh ? 'ci' : 'install', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], root),
  );
  if (code !== 0) throw new Error(`npm ended with code ${code}:\n${tailOf(output)}\n${adviceFor(output)}`);
  if (!existsSync(pinnedNode(root))) throw new Error('npm skipped the install script of the package "node". Run: npm rebuild node');
  markInstalled(root);
}

function fingerprint(root) {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const name of patchNames(root)) hash.update(name).update(readFileSync(join(root, 'patches', name)));
  return hash.digest('hex');
}

function patchNames(root) {
  const folder = join(root, 'patches');
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.patch'))
        .sort()
    : [];
}

/** A patched package cannot be patched anew: npm must unpack it again. */
function removePatched(root) {
  for (const name of patchNames(root)) {
    const path = name.split(/\+\d/)[0].replaceAll('+', '/');
    rmSync(join(root, 'node_modules', path), { recursive: true, force: true });
  }
}

/** The npm that runs us, else the one in the path. */
function npmCommand() {
  const file = process.env.npm_execpath;
  if (file?.endsWith('.js')) return { file: process.execPath, prefix: [file] };
  const beside = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  if (existsSync(beside)) return { file: process.execPath, prefix: [beside] };
  return { file: process.platform === 'win32' ? 'npm.cmd' : 'npm', prefix: [] };
}

function checkVersions(npm) {
  const found = {
    node: process.versions.node,
    npm: spawnSync(npm.file, [...npm.prefix, '--version'], { encoding: 'utf8' }).stdout?.trim(),
  };
  for (const name of ['node', 'npm']) {
    const wanted = minimum[name].join('.');
    if (!found[name]) throw new Error(`${name} was not found. Install Node ${minimum.node[0]} or later with npm from https://nodejs.org`);
    if (isOlder(found[name], minimum[name]))
      throw new Error(`${name} ${found[name]} is too old: ${wanted} or later is needed (https://nodejs.org)`);
  }
}

function isOlder(version, [major, minor]) {
  const [itsMajor, itsMinor] = version.split('.').map(Number);
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

function runNpm(npm, args, cwd) {
  return new Promise((resolve, reject) => {
    // The lock file was resolved for the pinned Node, which is installed by this very step: npm's remarks on the system's are noise.
    const child = spawn(npm.file, [...npm.prefix, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function withProgress(reason, work) {
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1000);
  const tty = process.stderr.isTTY;
  const say = (text, end = '\n') => process.stderr.write(`${tty ? '\r\x1b[2K' : ''}setup: ${text}${end}`);
  say(`installing dependencies (${reason})`, tty ? '' : '\n');
  const timer = setInterval(() => say(`installing dependencies (${reason}) ... ${seconds()} s`, tty ? '' : '\n'), tty ? 1000 : 10_000);
  try {
    const result = await work();
    if (result.code === 0) say(`dependencies installed in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

function tailOf(output) {
  return output.trimEnd().split('\n').slice(-40).join('\n');
}

function adviceFor(output) {
  if (/ENOTFOUND|ETIMEDOUT|ECONNREFUSED|EAI_AGAIN|network/.test(output))
    return 'The package registry was not reached: check the network or the proxy settings of npm.';
  if (/ENOSPC/.test(output)) return 'The disk is full: about 1 GB is needed.';
  if (/EACCES|EPERM/.test(output)) return 'npm may not write here: check who owns this folder and node_modules.';
  return 'Remove node_modules and start again; if it stays, the lines above say why.';
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(__dirname, '../../../..');
const flow = join(repository, 'infra/flows/mail.yaml');
const models = join(repository, 'tools/demo/models');
/** Port 1 of loopback: nobody listens there. */
const nobody = '127.0.0.1:1';

async function run(app: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ['--no-warnings', join(repository, 'apps', app, 'src/main.ts'), ...args], {
    env: { ...process.env, SLUICE_LOG: 'silent', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

describe('an app that cannot start says why, what to do, and ends with a code', () => {
  jest.setTimeout(60_000);

  it.each([
    ['the flow file is missing', ['--flow', '/no/such/flow.yaml', '--models', models], 'SLUICE_FLOW_INVALID', 65],
    ['a model is missing', ['--flow', flow, '--models', tmpdir()], 'SLUICE_MODEL_MISSING', 66],
    ['no broker answers', ['--flow', flow, '--models', models], 'SLUICE_BROKER_UNREACHABLE', 69],
    ['an option is unknown', ['--flow', flow, '--models', models, '--speed', '9'], 'SLUICE_CONFIG_INVALID', 64],
  ])('%s', async (_, args, error, code) => {
    const ended = await run('router', ['--brokers', nobody, ...args]);
    expect(ended.stderr).toContain(error);
    expect(ended.code).toBe(code);
  });

  it('lists every fault of a flow file with its path', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'sluice-flow-')), 'flow.yaml');
    await writeFile(file, 'flow: Bad_Name\ndescription: x\n');
    const { stderr } = await run('router', ['--brokers', nobody, '--flow', file, '--models', models]);
    for (const path of ['flow:', 'request:', 'labels:', 'signature:', 'tiers:']) expect(stderr).toContain(`  ${path}`);
  });

  it('the port asked for is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = String((server.address() as AddressInfo).port);
    const ended = await run('router', ['--brokers', nobody, '--flow', flow, '--models', models], { SLUICE_HEALTH_PORT: port });
    server.close();
    expect(ended.stderr).toContain('SLUICE_PORT_TAKEN');
    expect(ended.code).toBe(69);
  });
});

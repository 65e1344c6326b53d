import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { numbersOf, openKafkaBench, until, upTo } from '../../testing/kafka-bench.ts';

jest.setTimeout(120_000);

const script = join(__dirname, '../../testing/copy-child.ts');

/** Starts a copying process and resolves when it has committed `transactions` of its own. */
async function startChild(brokers: readonly string[], suffix: string, transactions: number): Promise<ChildProcess> {
  const env = { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' };
  const child = spawn(process.execPath, [script, brokers.join(','), suffix], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const dots = () => said.length - said.replaceAll('.', '').length;
  await until(`the child to commit (it said: ${said})`, () => dots() >= transactions || child.exitCode !== null, 60_000);
  if (child.exitCode !== null) throw new Error(`the child ended: ${said}`);
  return child;
}

describe('a pipe whose process is killed in mid-stream', () => {
  it('loses nothing and doubles nothing: the next process fences it and goes on from the committed offsets', async () => {
    const { bus, publish, output, brokers, suffix } = await openKafkaBench();
    const total = 12_000;
    for (let from = 0; from < total; from += 1_000) await publish(from, from + 1_000);
    const alive: ChildProcess[] = [];
    try {
      for (const transactions of [10, 20]) {
        const child = await startChild(brokers, suffix, transactions);
        alive.push(child);
        child.kill('SIGKILL');
      }
      alive.push(await startChild(brokers, suffix, 1));
      await until('every record', async () => (await bus.readAll([output])).length >= total, 90_000);
      await publish(total, total + 100);
      await until('the last records', async () => (await bus.readAll([output])).length >= total + 100);
    } finally {
      for (const child of alive) child.kill('SIGKILL');
    }
    expect(numbersOf(await bus.readAll([output]))).toEqual(upTo(total + 100));
    await bus.close();
  });
});

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import { inBackground } from './background.ts';

const onLinux = process.platform === 'linux' ? it : it.skip;
const own = (): number => getPriority(Number(basename(readlinkSync('/proc/thread-self'))));
const all = (): Map<string, number> => new Map(readdirSync('/proc/self/task').map((thread) => [thread, getPriority(Number(thread))]));
const before = process.platform === 'linux' ? own() : 0;
/** Anyone may nice a thread, only the privileged may take it back. */
const privileged = (): boolean =>
  ((BigInt(`0x${/CapEff:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`) >> 23n) & 1n) === 1n;

it('work in the background gives what it gives, and throws what it throws', async () => {
  await expect(inBackground(() => Promise.resolve(3))).resolves.toBe(3);
  await expect(inBackground(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});

onLinux('a thread is nicer while it loads, and as before once it has, with the threads it has started (needs Linux)', async () => {
  const worker = await inBackground(async () => {
    expect(own()).toBe(privileged() ? Math.min(19, before + 10) : before);
    const started = new Worker('setInterval(() => undefined, 1000)', { eval: true });
    await new Promise((resolve) => started.once('online', resolve));
    if (privileged()) expect([...all().values()].filter((priority) => priority === Math.min(19, before + 10)).length).toBeGreaterThan(1);
    return started;
  });
  expect([...new Set(all().values())]).toEqual([before]);
  await worker.terminate();
});

onLinux('a thread whose work failed is as before (needs Linux)', async () => {
  const work = (): Promise<never> => Promise.reject(new Error(String(own() - before)));
  await expect(inBackground(work)).rejects.toThrow(privileged() ? /^[1-9]/ : '0');
  expect(own()).toBe(before);
});

onLinux(
  'a thread whose work takes long is as before after half a second, so that it comes to an end where every core is busy (needs Linux)',
  async () => {
    const raised = async (): Promise<void> => {
      while (own() !== before) await new Promise((resolve) => setImmediate(resolve));
    };
    const during = await inBackground(async () => {
      await raised();
      return own();
    });
    expect(during).toBe(before);
  },
);

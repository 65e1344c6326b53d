import { newStats } from '../stats.ts';
import { Watchdog } from './watchdog.ts';

const watch = (waiting: () => Promise<boolean>, stats = newStats()) => {
  const dog = new Watchdog({ stats, stallAfterMs: 40, waiting });
  return { dog, stalled: new Promise<string>((resolve) => dog.start((error) => resolve(error.code))) };
};
const after = (ms: number) => new Promise<'quiet'>((resolve) => setTimeout(() => resolve('quiet'), ms));

describe('the watchdog', () => {
  it('raises SLUICE_STALLED when records wait and nothing is committed', async () => {
    expect(await watch(async () => true).stalled).toBe('SLUICE_STALLED');
  });

  it('raises it too when the cluster no longer says whether records wait', async () => {
    expect(await watch(() => Promise.reject(new Error('gone'))).stalled).toBe('SLUICE_STALLED');
  });

  it('is quiet while nothing waits, and while commits go on', async () => {
    const idle = watch(async () => false);
    const stats = newStats();
    const beat = setInterval(() => (stats.lastProgress = performance.now()), 5);
    const busy = watch(async () => true, stats);
    expect(await Promise.race([idle.stalled, busy.stalled, after(150)])).toBe('quiet');
    clearInterval(beat);
    idle.dog.stop();
    busy.dog.stop();
  });
});

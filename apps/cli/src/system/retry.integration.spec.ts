import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import { retryRun } from './testing/retry-run.ts';

jest.setTimeout(120_000);

describe('a flow that tries again, on a real broker', () => {
  it('answers events that failed twice at the third attempt, each once and none before its time, and makes dead letters of the rest', async () => {
    const brokers = process.env['KAFKA_BROKERS'];
    if (brokers === undefined) throw new Error('KAFKA_BROKERS is not set: run this suite through `npm test`');
    const bus = kafkaBus({ brokers: brokers.split(','), clientId: 'sluice-test' });
    const delaysMs = [1_000, 2_000];
    const isLost = (links: number, n: number) => links % 50 === 8 || (links % 50 === 7 && n <= 2);
    const name = `mail-${randomBytes(4).toString('hex')}`;
    const run = await retryRun({ bus, clock: systemClock, name, delaysMs, isLost });
    for (let from = 0; from < 1_000; from += 100) await run.publish(Array.from({ length: 100 }, (_, i) => from + i));
    for (let origins = await run.origins(); origins.length < 1_000; origins = await run.origins()) await sleep(200);
    // Whatever was answered twice would come within another delay.
    await sleep(2_500);
    const origins = await run.origins();
    expect(origins).toHaveLength(1_000);
    expect(new Set(origins).size).toBe(1_000);
    const predictions = await run.predictions();
    expect(predictions).toHaveLength(980);
    const twice = predictions.filter(({ trail }) => trail.length > 2);
    expect(twice).toHaveLength(20);
    for (const { trail } of twice) {
      const [, first, second, last] = trail;
      expect([first!.reason, second!.reason]).toEqual(['model-lost:retry=1s', 'model-lost:retry=2s']);
      expect(second!.at - first!.at).toBeGreaterThanOrEqual(1_000);
      expect(last!.at - second!.at).toBeGreaterThanOrEqual(2_000);
    }
    await run.close();
    await bus.close();
  });
});

import type { BrokerHandle } from '@sluice/broker';
import { kitSuite } from '../testing/suite.ts';
import { startKit } from './index.ts';

describe('a kit in memory', () => {
  kitSuite('memory', 'bus');

  it('gives each suite topics of its own', async () => {
    await using one = await startKit({ flow: 'mail', broker: 'memory' });
    await using two = await startKit({ flow: 'mail', broker: 'memory' });
    expect(one.topics.requests).toMatch(/^mail-[0-9a-f]{6}\.requests$/);
    expect(one.flow).not.toBe(two.flow);
  });

  it('closes apps in reverse order, then the bus, and leaves a broker it was handed alone', async () => {
    const order: string[] = [];
    const handed = await startKit({ broker: 'memory' });
    const broker: BrokerHandle = { ...handed.broker, close: async () => void order.push('broker') };
    const app = (name: string) => ({ close: async () => void order.push(name) });
    const kit = await startKit({ broker, apps: async () => [app('router'), app('worker')] });
    await Promise.all([kit.close(), kit.close()]);
    expect(order).toEqual(['worker', 'router']);
  });

  it('says how many records came when too few did', async () => {
    await using kit = await startKit({ broker: 'memory' });
    await expect(kit.predictions(2, { within: 60 })).rejects.toThrow(`${kit.topics.predictions} has 0 of 2 records after 60 ms`);
  });

  it('leaves nothing open when an app does not start', async () => {
    const apps = async () => await Promise.reject(new Error('no model'));
    await expect(startKit({ broker: 'memory', apps })).rejects.toThrow('no model');
  });
});

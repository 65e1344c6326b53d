/**
 * For suites that run flows on a real broker, or in memory: one call for broker, topics, bus, producer and judge.
 *
 * @example
 * await using kit = await startKit({ flow, apps: async (bus, { document }) => [await startRouter(bus, document)] });
 * await kit.publish([{ key: 'a', value: encodeRequest(mail) }]);
 * await kit.predictions(1);
 * (await kit.judge()).lost; // 0
 */
export { startKit, type Closable, type Kit, type KitContext, type KitOptions, type KitRequest, type WaitOptions } from './kit.ts';
export type { Judgement } from '@sluice/broker';
export { isClean } from '@sluice/broker';

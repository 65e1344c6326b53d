import { SluiceError } from '@sluice/domain';
import type { BrokerHandle } from './handle.ts';
import { openBroker } from './open-broker.ts';

const chosen = ['jvm', 'container', 'auto'] as const;

/**
 * One broker for a whole test run: its address goes to the tests as KAFKA_BROKERS, for they live in another realm and can
 * only be handed strings. SLUICE_BROKER (jvm, container) chooses a rung.
 * @throws SluiceError SLUICE_BROKER_FAILED when only the in-memory driver is left: these suites are about a real broker.
 */
export async function openSuiteBroker(onStep: (text: string) => void): Promise<BrokerHandle> {
  const wish = process.env['SLUICE_BROKER'];
  const choice = chosen.find((one) => one === wish) ?? 'auto';
  const handle = await openBroker({ choice, onStep });
  if (handle.brokers === undefined) throw new SluiceError('SLUICE_BROKER_FAILED', `No real broker here: ${handle.why.join('; ')}.`);
  process.env['KAFKA_BROKERS'] = handle.brokers;
  return handle;
}

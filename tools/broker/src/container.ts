import type { BrokerHandle, BrokerOptions, Unavailable } from './handle.ts';

export async function startContainerBroker(_stateDir: string, _options: BrokerOptions): Promise<BrokerHandle | Unavailable> {
  return { unavailable: 'no container engine answers' };
}

export async function removeContainers(_ids: readonly string[]): Promise<void> {}

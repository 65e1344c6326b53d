import { findEngine, findImage } from './image.ts';

/** Why no container with Kafka can be started here; undefined when one can. */
export async function noContainer(): Promise<string | undefined> {
  const engine = await findEngine();
  if ('unavailable' in engine) return engine.unavailable;
  const found = await findImage(() => {});
  return typeof found === 'string' ? found : undefined;
}

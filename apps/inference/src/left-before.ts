import { decodeHealth, healthTopic } from '@sluice/contracts';
import type { Flow, Health } from '@sluice/domain';
import type { Bus } from '@sluice/streaming';

/**
 * What workers of the flow have said of versions that they took up and left again. A worker that starts anew heeds it as if it had been
 * itself, for whoever runs events through such a version a second time loses the same ones again. Versions that only did not load are not among
 * them: the folder may be there by now.
 */
export async function versionsLeft(bus: Bus, { flow }: Flow): Promise<Health[]> {
  const table = await bus.openTable({ topic: healthTopic, decode: decodeHealth });
  const healths = [...table.entries()].map(([, health]) => health);
  await table.close();
  return healths.filter((health) => health.flow === flow && health.refusedCode === 'SLUICE_MODEL_FAILED');
}

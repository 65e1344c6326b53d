import { SluiceError, type Manifest } from '@sluice/domain';
import { notDistributions } from './calibrate.ts';
import type { Executor } from './executor.ts';
import { messageOf } from './message.ts';

/** Two rows are enough to see a wrong shape or a missing softmax. */
export function checkOutputs(
  manifest: Manifest,
  executor: Executor,
  { rows, n }: { readonly rows: Float32Array; readonly n: number },
): void {
  let fault: string | undefined;
  try {
    fault = notDistributions(executor.run(rows, n), manifest);
  } catch (cause) {
    throw new SluiceError('SLUICE_MODEL_INVALID', `The model ${manifest.model} fails on ${executor.name}: ${messageOf(cause)}`, { cause });
  }
  if (fault)
    throw new SluiceError(
      'SLUICE_MODEL_INVALID',
      `The model ${manifest.model} does not answer with probabilities of its labels: ${fault}.`,
    );
}

import { SluiceError } from '@sluice/domain';
import type { LocalName } from './backend.ts';
import { assemble, type Plan } from './calibrate.ts';
import { compileModel } from './compiled/compiled-executor.ts';
import type { Executor } from './executor.ts';
import { checkOutputs } from './check-outputs.ts';
import type { ModelFolder } from './model-folder.ts';
import type { OpenedExecutor } from './open-executor.ts';
import { sampleRows } from './sample-rows.ts';
import { warmUp } from './timing.ts';

type Opened = Pick<OpenedExecutor, 'executor' | 'gpu'>;

/**
 * Opens what a calibration decided, without timing anything: each executor in use is warmed up, and its outputs are looked at. TensorFlow.js
 * is loaded only where the plan needs it: it is most of the time and memory that a thread of compiled code would take.
 */
export async function openPlanned(
  folder: ModelFolder,
  { plan, budget }: { readonly plan: Plan; readonly budget: number },
): Promise<Opened> {
  const compiled = plan.compiledUpTo > 0 ? compileModel(folder) : undefined;
  const tensor = plan.tensor ? await openTensor(folder, plan.tensor) : undefined;
  const executor = assemble(compiled, tensor?.executor, plan);
  const sizes = compiled && tensor ? [1, plan.compiledUpTo + 1] : [2];
  const rows = sampleRows(folder.manifest, Math.max(...sizes));
  for (const n of sizes) {
    checkOutputs(folder.manifest, executor, { rows, n });
    warmUp(() => executor.run(rows, n), { budget: budget / sizes.length });
  }
  return { executor, gpu: tensor?.gpu ?? false };
}

async function openTensor(folder: ModelFolder, name: NonNullable<Plan['tensor']>): Promise<Opened> {
  const [{ backendOf, openBackend }, { loadTensor, loadWebgpu }] = await Promise.all([
    import('./backend.ts'),
    import('./load-executor.ts'),
  ]);
  const state = await (name === 'webgpu' ? (await import('./webgpu-executor.ts')).openWebgpu() : openBackend(backendOf(name)));
  if (!state.ready) throw new SluiceError('SLUICE_MODEL_INVALID', `The backend ${name} loaded before and does not now: ${state.why}`);
  const executor: Executor = 'host' in state ? await loadWebgpu(folder, state.host) : await loadTensor(folder, name as LocalName);
  return { executor, gpu: state.gpu };
}

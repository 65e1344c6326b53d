import type { Example, Flow, PolicySnapshot } from '@sluice/domain';
import { Learner, type OpenInput } from './learner.ts';

/**
 * The policies of some versions, made again by folding the examples from the first on. The learner's own state is left out of them.
 * A version that feedback never published comes out all the same: what it would have been.
 */
export function policiesAt(
  flow: Flow,
  examples: readonly Example[],
  { versions, signatureWidth, costs }: Omit<OpenInput, 'snapshot'> & { readonly versions: ReadonlySet<number> },
): Map<number, PolicySnapshot> {
  const learner = Learner.create(flow, signatureWidth, costs);
  const policies = new Map<number, PolicySnapshot>();
  examples.forEach((example, offset) => {
    learner.fold(example);
    const version = learner.stats.folded;
    if (versions.has(version)) policies.set(version, { ...learner.snapshot(offset + 1), learner: new Uint8Array(0) });
  });
  return policies;
}

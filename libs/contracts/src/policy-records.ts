import { SluiceError, type PolicySnapshot } from '@sluice/domain';
import { decodePolicy } from './codecs.ts';

/**
 * The snapshots of a flow among records of `sluice.policy`, in their order. What cannot be read is left out: a damaged record must keep
 * nobody from those before and after it.
 */
export function readPolicies(
  records: readonly { readonly key: Buffer | null; readonly value: Buffer | null }[],
  flow: string,
): PolicySnapshot[] {
  return records.flatMap(({ key, value }) => {
    if (value === null || key?.toString() !== flow) return [];
    try {
      return [decodePolicy(value)];
    } catch (thrown) {
      if (thrown instanceof SluiceError) return [];
      throw thrown;
    }
  });
}

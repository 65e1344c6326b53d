import { otherSegment, type PolicySnapshot, type SegmentPolicy } from '@sluice/domain';

/** What a policy says of a segment: its own word, else that on all others; undefined where the whole flow's holds. */
export function segmentPolicy({ segments }: PolicySnapshot, segment: string): SegmentPolicy | undefined {
  if (segment === '') return undefined;
  let other: SegmentPolicy | undefined;
  for (let i = 0; i < segments.length; i++) {
    const one = segments[i]!;
    if (one.segment === segment) return one;
    if (one.segment === otherSegment) other = one;
  }
  return other;
}

/** tau of a segment, in (0, infinity). */
export function thresholdOf(policy: PolicySnapshot, own: SegmentPolicy | undefined): number {
  return own === undefined ? policy.threshold : policy.threshold * Math.exp(own.offset);
}

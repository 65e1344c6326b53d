/** Segment of events that lack the field or header by which the flow is divided. */
export const noSegment = '(none)';

/** Segment of all events whose own is not among those that are controlled apart. */
export const otherSegment = '(other)';

/** Where one segment of a flow stands, beside what holds for the whole flow. */
export interface SegmentPolicy {
  /** A value of the field or header, a range of numbers, or one of the two names above. */
  readonly segment: string;
  /** Added to ln tau of the flow for events of the segment. */
  readonly offset: number;
  /** All the loss there was to give in the segment is given: heavy alone serves it. */
  readonly heavyOnly: boolean;
}

import { headerBytes, slotKind, type Projection, type WireHeaders } from '@sluice/contracts';
import { noSegment, SluiceError, type Flow } from '@sluice/domain';
import { headerPrefix } from '../rules/fields.ts';
import { SegmentNames } from './segment-names.ts';

type SegmentSpec = NonNullable<Flow['target']['segments']>;

/** Says which segment of the flow a request belongs to. */
export interface SegmentReader {
  /** @param headers of the request; `value` is the one that the projection has read. */
  read(value: Buffer, headers: WireHeaders | undefined): string;
}

/** The request field that segments are told by, if it is one. */
export function segmentField({ target: { segments } }: Flow): string[] {
  return segments === undefined || segments.by.startsWith(headerPrefix) ? [] : [segments.by];
}

/**
 * @param projection of the requests of one writer schema; it reads `segmentField`.
 * @throws SluiceError SLUICE_FLOW_INVALID when a number has no edges, something else has, or the field is bytes or one thing or another.
 */
export function segmentReader({ target: { segments } }: Flow, projection: Projection): SegmentReader | undefined {
  if (segments === undefined) return undefined;
  const names = new SegmentNames();
  if (segments.by.startsWith(headerPrefix)) return byHeader(segments, names);
  const slot = projection.slot(segments.by);
  const { kind, nodes } = projection.leaves[slot]!;
  const isBoolean = nodes.every((node) => node.kind === 'boolean');
  if (kind === 'number' && !isBoolean) return byNumber(segments, projection);
  if (segments.edges !== undefined) throw invalid(segments, 'has edges, but is no number');
  if (kind === 'bytes' || kind === 'mixed') throw invalid(segments, `is ${kind}: a text, an enum, a boolean or a number is needed`);
  const symbols = isBoolean ? ['false', 'true'] : nodes.flatMap((node) => (node.kind === 'enum' ? node.symbols : []));
  const { present, numbers, starts, ends } = projection;
  return {
    read(value) {
      if (present[slot] === slotKind.missing) return noSegment;
      return present[slot] === slotKind.bytes ? names.of(value, starts[slot]!, ends[slot]!) : symbols[numbers[slot]!]!;
    },
  };
}

function byHeader(spec: SegmentSpec, names: SegmentNames): SegmentReader {
  if (spec.edges !== undefined) throw invalid(spec, 'has edges, but is no number');
  const header = spec.by.slice(headerPrefix.length);
  return {
    read(_, headers) {
      const bytes = headers && headerBytes(headers, header);
      return bytes === undefined ? noSegment : names.of(bytes, 0, bytes.length);
    },
  };
}

function byNumber(spec: SegmentSpec, projection: Projection): SegmentReader {
  const { edges, by } = spec;
  const { present, numbers } = projection;
  if (edges === undefined) throw invalid(spec, 'is a number: declare the edges between its segments');
  const slot = projection.slot(by);
  const ranges = [`below ${edges[0]}`, ...edges.map((edge, i) => (i + 1 < edges.length ? `${edge} to ${edges[i + 1]}` : `from ${edge}`))];
  return {
    read() {
      if (present[slot] === slotKind.missing) return noSegment;
      let range = 0;
      while (range < edges.length && numbers[slot]! >= edges[range]!) range++;
      return ranges[range]!;
    },
  };
}

function invalid({ by }: SegmentSpec, fault: string): SluiceError {
  return new SluiceError('SLUICE_FLOW_INVALID', `target.segments.by: ${by} ${fault}`);
}

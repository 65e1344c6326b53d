import { readRequestHeaders, sourceText, type RequestSchemas, type WireHeaders } from '@sluice/contracts';
import { SluiceError, type EpochMs, type EventId, type Flow } from '@sluice/domain';
import type { InRecord } from '@sluice/streaming';

/** What the router knows of a request before it looks into its fields. */
export interface Request {
  readonly id: EventId;
  readonly value: Buffer;
  /** Index of the writer schema in the flow. */
  readonly schema: number;
  /** First byte of the Avro body, after its framing. */
  readonly start: number;
  /** Time stamp of the record. */
  readonly receivedAt: EpochMs;
  /** Event time: `ce_time`, else the time stamp. */
  readonly requestedAt: EpochMs;
  readonly deadlineAt: EpochMs;
  readonly headers: WireHeaders;
}

/** The id that a request is known by: `ce_id`, else its coordinates. */
export function requestId(record: InRecord): EventId {
  return readRequestHeaders(record.headers).id ?? sourceText(record);
}

/**
 * Checks everything about a request that needs no field of it.
 * @throws SluiceError of class reject.
 */
export function readRequest(record: InRecord, flow: Flow, schemas: RequestSchemas): Request {
  const headers = readRequestHeaders(record.headers);
  const { value } = record;
  if (value !== null && value.length > flow.request.maxBytes) {
    throw new SluiceError('SLUICE_RECORD_TOO_LARGE', `the value has ${value.length} bytes, the flow accepts ${flow.request.maxBytes}`);
  }
  const { schema, start } = schemas.identify(value);
  const receivedAt = record.timestamp;
  return {
    id: headers.id ?? sourceText(record),
    value: value!,
    schema,
    start,
    receivedAt,
    requestedAt: headers.time ?? receivedAt,
    headers: record.headers,
    deadlineAt: receivedAt + (headers.deadlineMs ?? flow.request.deadlineMs),
  };
}

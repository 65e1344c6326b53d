import protocolErrors from 'kafkajs/src/protocol/error.js';
import type { Encoded } from '../record-batch/produce-request.ts';

/** A request in the shape that the client's connection sends. `decode` gets what follows the correlation id. */
export interface Request<Answer> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<Encoded>;
    readonly expectResponse?: () => boolean;
  };
  readonly response: {
    readonly decode: (payload: Buffer) => Promise<Answer>;
    /** @throws KafkaJSProtocolError of the first error code in the answer */
    readonly parse: (answer: Answer) => Promise<Answer>;
  };
}

/** Name of a producer's one transaction on the wire. Since version 2 the epoch changes with each. */
export interface Producer {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** Brokers answer first and throttle then (KIP-219): the client waits by itself. */
export const throttled = (ms: number) => ({ throttleTime: 0, clientSideThrottleTime: ms });

const { createErrorFromCode, errorCodes } = protocolErrors as {
  createErrorFromCode: (code: number) => Error;
  errorCodes: { readonly type: string; readonly code: number; readonly retriable: boolean; readonly message: string }[];
};

/** Errors that the older versions of these requests never answer with, and the client has no name for. */
const newer = [
  { type: 'PRODUCER_FENCED', code: 90, retriable: false, message: 'There is a newer producer with the same transactional id' },
  { type: 'TRANSACTION_ABORTABLE', code: 120, retriable: false, message: 'The transaction cannot go on and must be aborted' },
];
for (const one of newer) if (!errorCodes.some(({ code }) => code === one.code)) errorCodes.push(one);

/** @throws KafkaJSProtocolError of the first code that is not 0 */
export function assertNone(codes: readonly number[]): void {
  const code = codes.find((one) => one !== 0);
  if (code !== undefined) throw createErrorFromCode(code);
}

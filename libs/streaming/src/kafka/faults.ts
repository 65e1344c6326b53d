import { SluiceError } from '@sluice/domain';

/** The protocol's name of an error, wherever in the client's chain of wrappers it stands. */
export function protocolType(thrown: unknown): string | undefined {
  for (const error of chain(thrown)) {
    const { type } = error as { type?: unknown };
    if (typeof type === 'string' && type !== 'UNKNOWN') return type;
  }
  return undefined;
}

function* chain(thrown: unknown): Generator<Error> {
  for (let error = thrown; error instanceof Error; error = error.cause) yield error;
}

const fencedTypes = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING', 'TRANSACTION_COORDINATOR_FENCED']);

/** Another process has initialised the transactional id of this partition. */
export const isFenced = (thrown: unknown): boolean => fencedTypes.has(protocolType(thrown) ?? '');

const refusedTypes = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

/** The broker will never take these records, however often they are sent. */
export function refusal(thrown: unknown): SluiceError | undefined {
  if (!refusedTypes.has(protocolType(thrown) ?? '')) return undefined;
  return new SluiceError('SLUICE_RECORD_TOO_LARGE', `the broker refused an output: ${(thrown as Error).message}`, { cause: thrown });
}

const connectionFaults = /ConnectionError|NumberOfRetriesExceeded|BrokerNotFound|NoBrokerAvailable|ConnectionClosed|RequestTimeout/;

/** The address answers nobody, as opposed to an error that a broker reported. */
export const isUnreachable = (thrown: unknown): boolean => [...chain(thrown)].some((error) => connectionFaults.test(error.name));

/** Worth asking again: leadership or coordinator on the move, a connection lost. */
export const isPassing = (thrown: unknown): boolean =>
  isUnreachable(thrown) || [...chain(thrown)].some((error) => (error as { retriable?: boolean }).retriable === true);

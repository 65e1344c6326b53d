import type { ErrorCode, SluiceError } from '@sluice/domain';

/**
 * What the exit code of a service says to whoever started it. Numbers are those of sysexits.h where one fits: 64-66
 * need a person, 69 needs something outside, 75 is worth a restart.
 */
export const exitCodes = {
  drained: 0,
  /** A defect: an error that is none of the table. */
  unexpected: 1,
  usage: 64,
  data: 65,
  missing: 66,
  unavailable: 69,
  software: 70,
  retry: 75,
  /** 128 + the number of the signal: a second SIGINT or SIGTERM ends the process at once. */
  interrupted: 130,
  terminated: 143,
} as const;

const fatal: Partial<Record<ErrorCode, number>> = {
  SLUICE_CONFIG_INVALID: exitCodes.usage,
  SLUICE_FLOW_INVALID: exitCodes.data,
  SLUICE_SCHEMA_INVALID: exitCodes.data,
  SLUICE_SCHEMA_INCOMPATIBLE: exitCodes.data,
  SLUICE_TOPIC_MISMATCH: exitCodes.data,
  SLUICE_MODEL_INVALID: exitCodes.data,
  SLUICE_MODEL_MISSING: exitCodes.missing,
  SLUICE_DATA_MISSING: exitCodes.missing,
  SLUICE_REPLAY_DIFFERS: exitCodes.data,
  SLUICE_GPU_MISSING: exitCodes.unavailable,
  SLUICE_BROKER_UNREACHABLE: exitCodes.unavailable,
  SLUICE_BROKER_FAILED: exitCodes.unavailable,
  SLUICE_STATE_FAILED: exitCodes.unavailable,
  SLUICE_OFFSET_AHEAD: exitCodes.data,
  SLUICE_PORT_TAKEN: exitCodes.unavailable,
  SLUICE_CONSUMER_CRASHED: exitCodes.retry,
  SLUICE_STALLED: exitCodes.retry,
  SLUICE_PROCESS_DIED: exitCodes.retry,
};

/** Total: a code without an entry ends with 75 when its class is `retry`, else with 70. */
export function exitCodeOf(error: SluiceError): number {
  return fatal[error.code] ?? (error.class === 'retry' ? exitCodes.retry : exitCodes.software);
}

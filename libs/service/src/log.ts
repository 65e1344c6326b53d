import { hostname } from 'node:os';
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { SluiceError } from '@sluice/domain';

/** Facts of a log line. Never a payload: bytes are replaced by their length, and fields named like payloads are cut out. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one line. The second form is pino's, for libs that log through a port of their own: `fields` holds the `event`. */
export interface LogLine {
  (event: string, fields?: LogFields): void;
  (fields: object, message: string): void;
}

/**
 * One JSON line per event on stdout. `event` is a stable dotted name (`pipe.aborted`) that people and alerts search
 * for; normal operation is silent at info. An error is logged once, where it is handled.
 */
export interface Logger {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  /** `error` becomes `err` with code, message and chain of causes. */
  error(event: string, error: unknown, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  /** Left out: the level of SLUICE_LOG, else info. */
  readonly level?: LogLevel;
  /** Left out: SLUICE_INSTANCE, else host and process id. */
  readonly instance?: string;
  /** Left out: stdout, written synchronously so that no line is lost when the process dies. */
  readonly destination?: DestinationStream;
}

const payloads = ['value', 'payload', 'body', 'key', 'headers', 'row'];

/** @throws SluiceError SLUICE_CONFIG_INVALID when SLUICE_LOG names no level. */
export function createLogger(app: string, options: LogOptions = {}): Logger {
  const settings = {
    level: options.level ?? levelOf(process.env['SLUICE_LOG']),
    base: { app, instance: options.instance ?? instanceName() },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: { paths: payloads, remove: true },
    // errorFacts has done the work; pino's own serializer would drop code and causes.
    serializers: { err: (facts: ErrorFacts) => facts },
  };
  return wrap(options.destination ? pino(settings, options.destination) : pino(settings));
}

/** Names this process among others of its kind in logs and metrics. */
export function instanceName(env: NodeJS.ProcessEnv = process.env): string {
  return env['SLUICE_INSTANCE'] ?? `${hostname()}-${process.pid}`;
}

function levelOf(text: string | undefined): LogLevel {
  if (text === undefined || text === '') return 'info';
  const level = logLevels.find((known) => known === text);
  if (level) return level;
  throw new SluiceError('SLUICE_CONFIG_INVALID', `SLUICE_LOG is none of ${logLevels.join(', ')}`);
}

function wrap(logger: PinoLogger): Logger {
  return {
    debug: lineOf(logger, 'debug'),
    info: lineOf(logger, 'info'),
    warn: lineOf(logger, 'warn'),
    error: (event, error, fields) => logger.error({ event, err: errorFacts(error), ...withoutBytes(fields) }),
    child: (fields) => wrap(logger.child({ ...withoutBytes(fields) })),
  };
}

function lineOf(logger: PinoLogger, level: 'debug' | 'info' | 'warn'): LogLine {
  return (first: string | object, second?: LogFields | string) => {
    if (typeof first === 'string') logger[level]({ event: first, ...withoutBytes(second as LogFields | undefined) });
    else logger[level](withoutBytes({ ...first }), second as string);
  };
}

function withoutBytes(fields: LogFields = {}): LogFields {
  const entries = Object.entries(fields).map(([name, value]) => [name, ArrayBuffer.isView(value) ? `(${value.byteLength} bytes)` : value]);
  return Object.fromEntries(entries);
}

interface ErrorFacts {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly cause?: ErrorFacts;
}

function errorFacts(thrown: unknown, depth = 0): ErrorFacts {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: String(thrown) };
  const code = 'code' in thrown ? { code: String(thrown.code) } : {};
  const cause = thrown.cause !== undefined && depth < 8 ? { cause: errorFacts(thrown.cause, depth + 1) } : {};
  return { type: thrown.name, ...code, message: thrown.message, stack: thrown.stack, ...cause };
}

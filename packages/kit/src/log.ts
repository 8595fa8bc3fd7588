import { systemClock, type Clock } from './clock.ts';

/** Structured log lines for people who operate the server. Never give it a secret or a request body. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

export interface LoggerOptions {
  /** Takes one line with its newline. */
  readonly write: (line: string) => void;
  /** `debug`, `info`, `warn`, `error` or `silent`; anything else counts as `info`. */
  readonly level?: string;
  readonly clock?: Clock;
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
type Level = Exclude<(typeof LEVELS)[number], 'silent'>;

/** A field's text is cut here, so that one line cannot fill a disk. */
const TEXT_MAX = 8_000;

/** A second guard against an accident: the first is not to log such fields at all. */
const SECRET = /secret|password|authorization|session.?token|credential/i;

/** Writes one JSON object a line: `at`, `level`, `message`, then the fields. */
export function createLogger(options: LoggerOptions): Logger {
  const found = LEVELS.findIndex((level) => level === options.level);
  return loggerWith(options, found < 0 ? 1 : found, options.clock ?? systemClock(), {});
}

function loggerWith(
  options: LoggerOptions,
  threshold: number,
  clock: Clock,
  common: Readonly<Record<string, unknown>>,
): Logger {
  const at =
    (level: Level) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (LEVELS.indexOf(level) < threshold) return;
      const head = { at: new Date(clock.now()).toISOString(), level, message: message.slice(0, TEXT_MAX) };
      options.write(`${line({ ...head, ...common, ...fields })}\n`);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => loggerWith(options, threshold, clock, { ...common, ...fields }),
  };
}

function line(fields: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(fields, printable);
  } catch {
    // A circular or otherwise unprintable field must not take down the code that wanted to tell something.
    return JSON.stringify({ at: fields['at'], level: fields['level'], message: fields['message'], unprintable: true });
  }
}

function printable(name: string, value: unknown): unknown {
  if (SECRET.test(name)) return '[hidden]';
  if (typeof value === 'string') return value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  return value;
}

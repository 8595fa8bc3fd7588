import {
  ConcurrentChange,
  DeliveryError,
  Interrupted,
  InvalidRequest,
  JobFailed,
  LeaseHeld,
  RolledBack,
} from '@slipway/delivery';
import { UserError } from '@slipway/kit/errors';
import type { Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** Turns an error of the delivery half into what the user reads and the exit code a script reads. */
export function explain(error: unknown, io: Io): unknown {
  if (error instanceof JobFailed) return jobFailed(error, io);
  if (!(error instanceof DeliveryError)) return error;
  return new UserError({
    what: error.message,
    ...(error.hint === undefined ? {} : { next: error.hint }),
    exitCode: exitCodeOf(error),
  });
}

function exitCodeOf(error: DeliveryError): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof LeaseHeld || error instanceof ConcurrentChange) return EXIT.leaseHeld;
  if (error instanceof RolledBack) return EXIT.rolledBack;
  if (error instanceof InvalidRequest) return EXIT.usage;
  return EXIT.error;
}

function jobFailed(error: JobFailed, io: Io): UserError {
  const place =
    error.file === undefined ? undefined : `${error.file}${error.line === undefined ? '' : `:${error.line}`}`;
  const log = `${error.logGroup} ${error.logStream ?? error.job}`;
  return new UserError({
    what: error.message,
    why: [
      ...(place === undefined ? [] : [`It failed at ${place}.`]),
      ...(error.logTail.length === 0
        ? ['It wrote no log.']
        : ['The end of its log:', ...error.logTail.map((line) => `  ${line}`)]),
    ].join('\n'),
    next: [
      `Mend it and run the same command again; only what is missing is done.`,
      `The whole log: ${io.self} exec -- aws logs get-log-events --log-group-name ${error.logGroup} --log-stream-name ${error.logStream ?? error.job} (${log})`,
    ].join('\n'),
    exitCode: EXIT.error,
  });
}

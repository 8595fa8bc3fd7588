import {
  ConcurrentChange,
  DeliveryError,
  Interrupted,
  InvalidRequest,
  JobFailed,
  LeaseHeld,
  RolledBack,
} from '@slipway/delivery';
import type { ResolvedEnvironment } from '@slipway/delivery/project';
import { UserError } from '@slipway/kit/errors';
import type { Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { LOCAL_ACCOUNT, LOCAL_REGION } from '../local/client-environment.ts';

/** Where a command worked when it failed: what the user needs to look there too. */
export interface Workplace {
  readonly environment: ResolvedEnvironment;
  /** The embedded server's address; absent on AWS. */
  readonly url: string | undefined;
  /** The data folder as the user would type it, where `exec` does not find it by itself. */
  readonly data: string | undefined;
}

/** Turns an error of the delivery half into what the user reads and the exit code a script reads. */
export function explain(error: unknown, io: Io, place: Workplace): unknown {
  if (error instanceof JobFailed) return jobFailed(error, io, place);
  if (isUnreachable(error) && place.url !== undefined) return unreachable(place.url, io);
  if (!(error instanceof DeliveryError)) return error;
  return new UserError({
    what: error.message,
    ...(error.hint === undefined ? {} : { next: asCalledHere(error.hint, io) }),
    exitCode: exitCodeOf(error),
  });
}

/** The delivery half names commands `slipway …`; the user may have to call them by `npx`. */
export function asCalledHere(text: string, io: Io): string {
  return text.replace(/(?<![\w/.-])slipway (?=[a-z])/g, `${io.self} `);
}

function exitCodeOf(error: DeliveryError): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof LeaseHeld || error instanceof ConcurrentChange) return EXIT.leaseHeld;
  if (error instanceof RolledBack) return EXIT.rolledBack;
  if (error instanceof InvalidRequest) return EXIT.usage;
  return EXIT.error;
}

const UNREACHABLE = ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE'];

export function isUnreachable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNREACHABLE.includes(String(error.code));
}

/** Nobody answers at the embedded server's address: it was never there, or it was stopped under the command. */
export function unreachable(url: string, io: Io): UserError {
  return new UserError({
    what: `No server answers at ${url}.`,
    why: 'It was stopped, or the address is not its.',
    next:
      `Start one with \`${io.self} up\` in another terminal, then run the same command again: ` +
      `jobs that were running go on, and nothing is done twice.`,
    exitCode: EXIT.error,
  });
}

function jobFailed(error: JobFailed, io: Io, place: Workplace): UserError {
  const script = error.file === undefined ? [] : [`${error.file}${error.line === undefined ? '' : `:${error.line}`}`];
  const reason = error.reason.trim().split('\n');
  // A job that says why it failed in one line often has nothing else in its log.
  const tail = error.logTail.join('\n') === reason.join('\n') ? undefined : error.logTail;
  return new UserError({
    what: `The ${error.kind} job ${error.job} ended ${error.status}.`,
    why: [
      ...reason,
      ...script.map((at) => `It failed at ${at}.`),
      ...(tail === undefined
        ? []
        : tail.length === 0
          ? ['It wrote no log.']
          : ['', 'The end of its log:', ...tail.map((line) => `  ${line}`)]),
    ].join('\n'),
    next: [
      'Mend it and run the same command again; only what is missing is done.',
      ...(error.logStream === undefined
        ? []
        : ['The whole log:', `  ${logCommand(error.logGroup, error.logStream, io, place)}`]),
    ].join('\n'),
    exitCode: EXIT.error,
  });
}

/** The command that prints a whole log, as it runs from where the user stands. */
function logCommand(group: string, stream: string, io: Io, { environment, url, data }: Workplace): string {
  const { account, region } = environment;
  const query = `aws logs get-log-events --log-group-name ${group} --log-stream-name ${stream} --start-from-head`;
  const elsewhere = region === LOCAL_REGION ? '' : ` --region ${region}`;
  if (url === undefined) return `${query} --region ${region}`;
  const asAccount = account === LOCAL_ACCOUNT ? '' : `env AWS_ACCESS_KEY_ID=${account} `;
  return `${io.self} exec ${data === undefined ? '' : `--data ${data} `}-- ${asAccount}${query}${elsewhere}`;
}

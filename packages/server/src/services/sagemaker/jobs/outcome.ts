import type { EffectResult } from '@slipway/kit/machine';
import type { JobExit } from '../../../engine/engine.ts';
import { ClientError } from './client-error.ts';

/** AWS cuts a FailureReason here. */
const REASON_MAX = 1024;

const OUT_OF_MEMORY =
  'ClientError: Please use an instance type with more memory, or reduce the size of training data processed on an instance.';
const INTERNAL = 'InternalServerError: We encountered an internal error. Please try again.';

/** Shells and Docker answer a process that a signal ended with 128 and the signal's number. */
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

export type Outcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * What a process's end means for its job, in AWS's words: `AlgorithmError: <what the failure file says>, exit code: N`,
 * or the failure file's own ClientError.
 */
export function outcomeOf(exit: JobExit): Outcome {
  switch (exit.reason) {
    case 'exited':
      return exit.exitCode === 0 ? { kind: 'completed' } : failed(algorithmError(exit, exit.exitCode ?? 1));
    case 'signaled':
      return failed(algorithmError(exit, 128 + (SIGNAL_NUMBERS[exit.signal ?? ''] ?? 0)));
    case 'stopped':
      return { kind: 'stopped' };
    case 'deadline':
      return { kind: 'timed-out' };
    case 'out-of-memory':
      return failed(`${OUT_OF_MEMORY}, exit code: 137`);
    case 'refused':
      return failed(`ClientError: ${exit.explanation ?? 'The job could not be started.'}`);
    case 'lost':
      return failed(exit.explanation === undefined ? INTERNAL : `${INTERNAL} ${exit.explanation}`);
  }
}

/** What an effect answers for something the user can repair; it is no error of the server's, so it is not thrown. */
export interface UserFailure {
  /** The FailureReason. */
  readonly userFailure: string;
}

/** Runs an effect's work; a ClientError becomes its result. */
export async function orUserFailure<T>(work: Promise<T>): Promise<T | UserFailure> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ClientError) return { userFailure: error.message };
    throw error;
  }
}

/** Why an effect did not do its work, as a FailureReason: the user's to repair, or ours. */
export function failureOf(result: EffectResult): string | undefined {
  if (result.kind === 'effect-failed') return `${INTERNAL} ${result.message}`.slice(0, REASON_MAX);
  const { userFailure } = (result.result ?? {}) as Partial<UserFailure>;
  return userFailure?.slice(0, REASON_MAX);
}

/** Whole seconds that the process ran, as AWS bills them; 0 for one that never started. */
export function runSeconds(exit: JobExit): number {
  if (exit.startedAt === undefined) return 0;
  return Math.max(1, Math.ceil((exit.endedAt - exit.startedAt) / 1000));
}

function algorithmError(exit: JobExit, exitCode: number): string {
  const message = exit.message ?? '';
  const said = message.startsWith('ClientError') ? message : `AlgorithmError: ${message}`;
  const end = `, exit code: ${exitCode}`;
  return said.slice(0, REASON_MAX - end.length) + end;
}

function failed(reason: string): Outcome {
  return { kind: 'failed', reason: reason.slice(0, REASON_MAX) };
}

import type { Owner } from '@slipway/kit/machine';

/** Log streams whose events are lines of a file that a process writes (a job's stdout, a worker's). */
export interface LogFiles {
  /** Names the file as a stream of a group, creating both. Idempotent; joins the caller's transaction. */
  register(owner: Owner, group: string, stream: string, path: string): void;
}

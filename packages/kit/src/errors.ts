/** What a person is told when something they asked for cannot be done. */
export interface UserErrorParts {
  /** What happened, a sentence. */
  readonly what: string;
  /** Why, as far as it is known. */
  readonly why?: string;
  /** What to do next: a command, a file and a line. */
  readonly next?: string;
  /** The process's exit code when a command ends with this error; 1 when absent. */
  readonly exitCode?: number;
  readonly cause?: unknown;
}

/** A mistake that its user can repair. Printed in three parts and without a stack; any other error is a defect of ours. */
export class UserError extends Error {
  readonly what: string;
  readonly why: string | undefined;
  readonly next: string | undefined;
  readonly exitCode: number;

  constructor(parts: UserErrorParts) {
    const sentences = [parts.what, parts.why, parts.next].filter((part) => part !== undefined);
    super(sentences.join(' '), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'UserError';
    this.what = parts.what;
    this.why = parts.why;
    this.next = parts.next;
    this.exitCode = parts.exitCode ?? 1;
  }
}

// Every error of the delivery half that a caller tells apart. The CLI maps them to exit codes; here they only say what
// happened, why, and what to do next.

/** Base class. `hint` is the next thing to do, if there is one. */
export class DeliveryError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = new.target.name;
    this.hint = hint;
  }
}

/** The request cannot be carried out as it was made: an unknown model, a version that does not exist, no reason. */
export class InvalidRequest extends DeliveryError {}

/** The account, region, bucket or role is not what the project file says. */
export class WrongTarget extends DeliveryError {}

/** A job ended badly; carries what its author needs to find the line. */
export class JobFailed extends DeliveryError {
  readonly job: string;
  readonly kind: 'processing' | 'training';
  readonly status: string;
  readonly reason: string;
  /** The end of its log, oldest first. */
  readonly logTail: readonly string[];
  /** The script's file and line of the last frame in it, if the log holds a traceback. */
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly logGroup: string;
  readonly logStream: string | undefined;

  constructor(failure: {
    readonly job: string;
    readonly kind: 'processing' | 'training';
    readonly status: string;
    readonly reason: string;
    readonly logTail: readonly string[];
    readonly file?: string | undefined;
    readonly line?: number | undefined;
    readonly logGroup: string;
    readonly logStream?: string | undefined;
  }) {
    super(`The ${failure.kind} job ${failure.job} ended ${failure.status}: ${failure.reason}`);
    this.job = failure.job;
    this.kind = failure.kind;
    this.status = failure.status;
    this.reason = failure.reason;
    this.logTail = failure.logTail;
    this.file = failure.file;
    this.line = failure.line;
    this.logGroup = failure.logGroup;
    this.logStream = failure.logStream;
  }
}

/** Someone else is changing this endpoint, or changed it under our hands. Retry later. */
export class LeaseHeld extends DeliveryError {
  readonly endpoint: string;
  readonly holder: string;
  readonly expiresAt: string;

  constructor(endpoint: string, holder: string, expiresAt: string) {
    super(
      `${holder} is changing the endpoint ${endpoint}; its lease runs until ${expiresAt}.`,
      'Run the command again when it has finished.',
    );
    this.endpoint = endpoint;
    this.holder = holder;
    this.expiresAt = expiresAt;
  }
}

/** The log moved while this command worked on what it had read. Retry. */
export class ConcurrentChange extends DeliveryError {}

/** An endpoint update was taken back: the endpoint serves, but not what was requested. */
export class RolledBack extends DeliveryError {
  readonly endpoint: string;
  readonly requested: string;
  readonly live: string;

  constructor(endpoint: string, requested: string, live: string, reason: string) {
    super(`The endpoint ${endpoint} was taken back to ${live} from ${requested}: ${reason || 'no reason was given'}.`);
    this.endpoint = endpoint;
    this.requested = requested;
    this.live = live;
  }
}

/** The endpoint ended in a state from which it does not come back by itself. */
export class EndpointFailed extends DeliveryError {
  readonly endpoint: string;
  readonly status: string;

  constructor(endpoint: string, status: string, reason: string) {
    super(`The endpoint ${endpoint} is ${status}: ${reason || 'no reason was given'}.`);
    this.endpoint = endpoint;
    this.status = status;
  }
}

/** The wait was broken off; the work goes on where it runs, and the same command takes it up again. */
export class Interrupted extends DeliveryError {
  constructor(subject: string) {
    super(`Stopped waiting; ${subject} goes on.`, 'Run the same command again to take it up.');
  }
}

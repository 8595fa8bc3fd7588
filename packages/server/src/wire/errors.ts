/**
 * An error as AWS prints it. `code` goes to `__type`, `x-amzn-ErrorType` or `<Code>`, by protocol; `members` are further
 * members of the modelled error shape (for example `OriginalStatusCode` of ModelError, or `Key` of an S3 error).
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: string, status: number, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

/** SageMaker's most frequent error; not in its model. */
export class ValidationException extends AwsError {
  constructor(message: string) {
    super('ValidationException', 400, message);
  }
}

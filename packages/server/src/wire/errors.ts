/**
 * An error as AWS prints it. `code` goes to `__type`, `x-amzn-ErrorType` or `<Code>`, by protocol; `members` are
 * further members of the modelled error shape (for example `OriginalStatusCode` of ModelError, or `Key` of an S3
 * error).
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

/** The request's bytes are not a document of the protocol, or a value in it has a wrong type. */
export class SerializationException extends AwsError {
  constructor(message: string) {
    super('SerializationException', 400, message);
  }
}

/** AWS has the operation and we do not. */
export class NotImplemented extends AwsError {
  constructor(service: string, operation: string) {
    super(
      'NotImplemented',
      501,
      `Slipway does not implement ${operation} of ${service} yet. docs/reference/coverage.md lists what it does.`,
    );
  }
}

/** No model names the operation. */
export class UnknownOperation extends AwsError {
  constructor(code: string, status: number, message: string) {
    super(code, status, message);
  }
}

/** The service is one that we have no model of, or that this server was started without. */
export class ServiceNotImplemented extends AwsError {
  constructor(service: string) {
    super(
      'NotImplemented',
      501,
      `Slipway does not serve ${service} yet. docs/reference/coverage.md lists the services and operations it does.`,
    );
  }
}

/** The body is longer than the operation takes. */
export class BodyTooLarge extends AwsError {
  constructor(limitBytes: number) {
    super('RequestEntityTooLargeException', 413, `The request body is longer than ${limitBytes} bytes.`);
  }
}

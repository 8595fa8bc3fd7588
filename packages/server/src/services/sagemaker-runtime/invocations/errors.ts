import { AwsError } from '../../../wire/errors.ts';

/** The runtime's own name for what the control plane calls ValidationException. */
export class ValidationError extends AwsError {
  constructor(message: string) {
    super('ValidationError', 400, message);
  }
}

export class ModelError extends AwsError {
  constructor(message: string, originalStatusCode: number, originalMessage: string, logStreamArn: string) {
    super('ModelError', 424, message, {
      OriginalStatusCode: originalStatusCode,
      OriginalMessage: originalMessage,
      LogStreamArn: logStreamArn,
    });
  }
}

export class ModelNotReady extends AwsError {
  constructor() {
    super(
      'ModelNotReadyException',
      429,
      'Model not ready. The model is still being downloaded or loaded; send the request again in a moment.',
    );
  }
}

export class ServiceUnavailable extends AwsError {
  constructor(message: string) {
    super('ServiceUnavailable', 503, message);
  }
}

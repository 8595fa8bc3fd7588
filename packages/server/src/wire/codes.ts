import { AwsError, BodyTooLarge, SerializationException } from './errors.ts';
import type { Dialect } from './route.ts';

/** The code of a broken constraint by service; most AWS services say ValidationException. */
const VALIDATION_CODES: ReadonlyMap<string, string> = new Map([
  ['sagemaker-runtime', 'ValidationError'],
  ['sts', 'ValidationError'],
  ['iam', 'ValidationError'],
  ['logs', 'InvalidParameterException'],
  ['s3', 'InvalidArgument'],
]);

export function constraintError(service: string, sentence: string): AwsError {
  return new AwsError(VALIDATION_CODES.get(service) ?? 'ValidationException', 400, sentence);
}

/** @param problem for example `text with a NUL character`, from the store that would have changed it */
export function unstorableSentence(problem: string): string {
  return `1 validation error detected: the request holds ${problem}, which cannot be kept as it is.`;
}

/** Gives an error of the wire itself the code that the dialect has for it. */
export function inDialect(error: AwsError, dialect: Dialect): AwsError {
  if (error instanceof SerializationException) {
    if (dialect === 'query') return new AwsError('MalformedInput', 400, error.message);
    if (dialect === 'rest-xml') return new AwsError('InvalidArgument', 400, error.message);
  }
  if (error instanceof BodyTooLarge && dialect === 'rest-xml') {
    return new AwsError('MaxMessageLengthExceeded', 400, 'Your request was too big.');
  }
  return error;
}

/** What a client hears of an error that is ours; the log has the rest under the request's id. */
export function internalFailure(dialect: Dialect): AwsError {
  if (dialect === 'rest-xml') {
    return new AwsError('InternalError', 500, 'We encountered an internal error. Please try again.');
  }
  const sentence = 'The request processing has failed because of an unknown error, exception or failure.';
  return new AwsError('InternalFailure', 500, sentence);
}

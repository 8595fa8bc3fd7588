import { AwsError } from '../../wire/errors.ts';

// Source: Amazon CloudWatch Logs API reference, errors of GetLogEvents and DescribeLogStreams.

/** The SDK's log tailer waits on this very code (api.md, trap 5). */
export class LogsNotFound extends AwsError {
  constructor(what: 'group' | 'stream') {
    super('ResourceNotFoundException', 400, `The specified log ${what} does not exist.`);
  }
}

export class InvalidParameter extends AwsError {
  constructor(message: string) {
    super('InvalidParameterException', 400, message);
  }
}

export class UnsupportedPattern extends AwsError {
  constructor(pattern: string) {
    const known = 'Slipway reads words, "quoted words", -excluded and ?alternative words.';
    super('NotImplemented', 501, `The filter pattern ${JSON.stringify(pattern)} is not implemented yet. ${known}`);
  }
}

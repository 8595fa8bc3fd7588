import { AwsError } from '../../wire/errors.ts';

// Codes, statuses and sentences: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

export class NoSuchBucket extends AwsError {
  constructor(bucket: string) {
    super('NoSuchBucket', 404, 'The specified bucket does not exist', { BucketName: bucket });
  }
}

export class NoSuchKey extends AwsError {
  constructor(key: string) {
    super('NoSuchKey', 404, 'The specified key does not exist.', { Key: key });
  }
}

export class NoSuchVersion extends AwsError {
  constructor(key: string, versionId: string) {
    super('NoSuchVersion', 404, 'The specified version does not exist.', { Key: key, VersionId: versionId });
  }
}

export class NoSuchUpload extends AwsError {
  constructor(uploadId: string) {
    const sentence = 'The specified upload does not exist. The upload ID may be invalid, or the upload may have been';
    super('NoSuchUpload', 404, `${sentence} aborted or completed.`, { UploadId: uploadId });
  }
}

export class AccessDenied extends AwsError {
  constructor(message = 'Access Denied', members: Readonly<Record<string, unknown>> = {}) {
    super('AccessDenied', 403, message, members);
  }
}

export class InvalidArgument extends AwsError {
  constructor(message: string, name: string, value: string) {
    super('InvalidArgument', 400, message, { ArgumentName: name, ArgumentValue: value });
  }
}

export class InvalidRequest extends AwsError {
  constructor(message: string) {
    super('InvalidRequest', 400, message);
  }
}

export class NotImplemented extends AwsError {
  constructor(what: string) {
    super('NotImplemented', 501, `A header you provided implies functionality that is not implemented: ${what}.`);
  }
}

export class PreconditionFailed extends AwsError {
  constructor(condition: string) {
    super('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
      Condition: condition,
    });
  }
}

export class ConditionalRequestConflict extends AwsError {
  constructor(condition: string, key: string) {
    const sentence = 'The conditional request cannot succeed due to a conflicting operation against this resource.';
    super('ConditionalRequestConflict', 409, sentence, { Condition: condition, Key: key });
  }
}

/** Not an error to its reader: the answer of a conditional GET or HEAD whose object is the one they have. */
export class NotModified extends AwsError {
  constructor() {
    super('NotModified', 304, 'Not Modified');
  }
}

export class BadDigest extends AwsError {
  constructor(message: string) {
    super('BadDigest', 400, message);
  }
}

export class InvalidPart extends AwsError {
  constructor(uploadId: string, partNumber: number) {
    const sentence = 'One or more of the specified parts could not be found.  The part may not have been uploaded, or';
    super('InvalidPart', 400, `${sentence} the specified entity tag may not match the part's entity tag.`, {
      UploadId: uploadId,
      PartNumber: partNumber,
    });
  }
}

export class EntityTooLarge extends AwsError {
  constructor(maxBytes: number) {
    super('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', { MaxSizeAllowed: maxBytes });
  }
}

export class EntityTooSmall extends AwsError {
  constructor(sizeBytes: number, minBytes: number, partNumber: number) {
    super('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
      ProposedSize: sizeBytes,
      MinSizeAllowed: minBytes,
      PartNumber: partNumber,
    });
  }
}

/** The disk cannot take the object. Nothing of it stays; clients try again, so space freed meanwhile helps at once. */
export class NoSpace extends AwsError {
  constructor(folder: string) {
    super('ServiceUnavailable', 503, `There is no space left to store the object: the disk of ${folder} is full.`);
  }
}

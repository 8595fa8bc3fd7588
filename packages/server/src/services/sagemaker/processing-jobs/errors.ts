import { AwsError, ValidationException } from '../../../wire/errors.ts';

export class ProcessingJobNotFound extends ValidationException {
  constructor(name: string) {
    super(`Could not find requested job with name: ${name}`);
  }
}

export class ProcessingJobExists extends AwsError {
  constructor(arn: string) {
    super(
      'ResourceInUse',
      400,
      `Processing job names must be unique within an AWS account and region, and a processing job with this name already exists (${arn})`,
    );
  }
}

export class ProcessingJobNotStoppable extends ValidationException {
  constructor(status: string) {
    super(`The request was rejected because the processing job is in status ${status}.`);
  }
}

export class ProcessingJobNotDeletable extends ValidationException {
  constructor(status: string) {
    super(
      `The request was rejected because the processing job is in status ${status}. ` +
        'Only a processing job that is Completed, Failed or Stopped can be deleted.',
    );
  }
}

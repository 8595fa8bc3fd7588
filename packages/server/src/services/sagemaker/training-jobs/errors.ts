import { AwsError, ValidationException } from '../../../wire/errors.ts';

/** What the SDK, Terraform and the Kubernetes operator match; it names no job. */
export class TrainingJobNotFound extends ValidationException {
  constructor() {
    super('Requested resource not found.');
  }
}

export class TrainingJobExists extends AwsError {
  constructor(arn: string) {
    super(
      'ResourceInUse',
      400,
      `Training job names must be unique within an AWS account and region, and a training job with this name already exists (${arn})`,
    );
  }
}

export class TrainingJobNotStoppable extends ValidationException {
  constructor(status: string) {
    super(`The request was rejected because the training job is in status ${status}.`);
  }
}

export class TrainingJobNotDeletable extends ValidationException {
  constructor(status: string) {
    super(
      `The request was rejected because the training job is in status ${status}. ` +
        'Only a training job that is Completed, Failed or Stopped can be deleted.',
    );
  }
}

import { AwsError, ValidationException } from '../../../wire/errors.ts';

export class PackageGroupNotFound extends ValidationException {
  constructor(name: string) {
    super(`Model Package Group ${name} does not exist.`);
  }
}

export class PackageGroupExists extends ValidationException {
  constructor(arn: string) {
    super(`Model Package Group already exists: ${arn}`);
  }
}

export class PackageGroupNotEmpty extends AwsError {
  constructor() {
    super('ConflictException', 400, 'Model Package Group cannot be deleted because it still contains Model Packages');
  }
}

import { ValidationException } from '../../../wire/errors.ts';

export class PackageNotFound extends ValidationException {
  constructor(arn: string) {
    super(`ModelPackage ${arn} does not exist.`);
  }
}

export class PackageExists extends ValidationException {
  constructor(arn: string) {
    super(`ModelPackage already exists: ${arn}`);
  }
}

export class BadApproval extends ValidationException {
  constructor(from: string, to: string) {
    super(`The approval status of a model package cannot change from ${from} to ${to}.`);
  }
}

export class BadMetadata extends ValidationException {
  constructor(why: string) {
    super(`CustomerMetadataProperties: ${why}`);
  }
}

export class TokenReused extends ValidationException {
  constructor(token: string) {
    super(`The ClientToken ${token} was used before with other parameters.`);
  }
}

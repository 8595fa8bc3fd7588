import { ValidationException } from '../../../wire/errors.ts';

export class ModelNotFound extends ValidationException {
  constructor(arn: string) {
    super(`Could not find model "${arn}".`);
  }
}

export class ModelExists extends ValidationException {
  constructor(arn: string) {
    super(`Cannot create already existing model "${arn}".`);
  }
}

export class PackageNotApproved extends ValidationException {
  constructor(arn: string) {
    super(`Cannot create a model with the model package "${arn}", because the model package is not approved.`);
  }
}

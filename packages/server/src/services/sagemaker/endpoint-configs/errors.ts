import { ValidationException } from '../../../wire/errors.ts';

export class EndpointConfigNotFound extends ValidationException {
  constructor(arn: string) {
    super(`Could not find endpoint configuration "${arn}".`);
  }
}

export class EndpointConfigExists extends ValidationException {
  constructor(arn: string) {
    super(`Cannot create already existing endpoint configuration "${arn}".`);
  }
}

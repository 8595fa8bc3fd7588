import { ValidationException } from '../../../wire/errors.ts';

export class EndpointNotFound extends ValidationException {
  constructor(arn: string) {
    super(`Could not find endpoint "${arn}".`);
  }
}

export class EndpointExists extends ValidationException {
  constructor(arn: string) {
    super(`Cannot create already existing endpoint "${arn}".`);
  }
}

/** Scripts wait for exactly these words. */
export class EndpointInProgress extends ValidationException {
  constructor(arn: string) {
    super(`Cannot update in-progress endpoint "${arn}".`);
  }
}

export class EndpointFailed extends ValidationException {
  constructor(arn: string) {
    super(`Cannot update failed endpoint "${arn}". Delete it and create it again.`);
  }
}

export class SameEndpointConfig extends ValidationException {
  constructor(arn: string, configName: string) {
    super(`Cannot update endpoint "${arn}" with the same endpoint configuration "${configName}".`);
  }
}

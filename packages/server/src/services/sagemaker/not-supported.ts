import { ValidationException } from '../../wire/errors.ts';

/** Something AWS has and Slipway does not run yet; refused when it is asked for, never ignored. */
export class NotSupportedYet extends ValidationException {
  constructor(what: string) {
    super(`Slipway does not support ${what} yet.`);
  }
}

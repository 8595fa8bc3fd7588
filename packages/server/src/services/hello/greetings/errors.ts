import { AwsError } from '../../../wire/errors.ts';

export class GreetingNotFound extends AwsError {
  constructor(name: string) {
    super('ResourceNotFound', 400, `There is no greeting named ${name}.`);
  }
}

export class GreetingExists extends AwsError {
  constructor(arn: string) {
    super('ResourceInUse', 400, `A greeting with this name already exists (${arn})`);
  }
}

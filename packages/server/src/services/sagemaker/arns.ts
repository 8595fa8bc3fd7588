import type { Owner } from '@slipway/kit/machine';

/** The word between an ARN's account and its name. */
export type ArnType =
  | 'training-job'
  | 'processing-job'
  | 'model'
  | 'endpoint-config'
  | 'endpoint'
  | 'model-package-group'
  | 'model-package';

export interface ParsedArn {
  readonly region: string;
  readonly account: string;
  readonly type: string;
  /** Everything after the type, for example `churn/3`. */
  readonly name: string;
}

const ARN = /^arn:aws[a-z-]*:sagemaker:(?<region>[a-z0-9-]*):(?<account>[0-9]{12}):(?<type>[a-z-]+)\/(?<name>.+)$/;

/** Names keep their case in our ARNs; AWS lower-cases most. Clients compare ARNs only with what they were given. */
export function arnOf(owner: Owner, type: ArnType, name: string): string {
  return `arn:aws:sagemaker:${owner.region}:${owner.account}:${type}/${name}`;
}

export function parseArn(text: string): ParsedArn | undefined {
  const groups = ARN.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { region = '', account = '', type = '', name = '' } = groups;
  return { region, account, type, name };
}

/** The name behind a member that takes a name or an ARN (`ArnOrName`). */
export function nameOf(arnOrName: string): string {
  return parseArn(arnOrName)?.name ?? arnOrName;
}

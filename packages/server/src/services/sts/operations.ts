import type {
  AssumeRoleCommandInput,
  AssumeRoleCommandOutput,
  GetCallerIdentityCommandOutput,
  GetSessionTokenCommandInput,
  GetSessionTokenCommandOutput,
} from '@aws-sdk/client-sts';
import { randomBytes } from 'node:crypto';
import { AwsError } from '../../wire/errors.ts';
import type { Context } from '../../wire/service.ts';
import { roleId } from '../role-id.ts';
import { callerOf, printSession, readSession } from './identity.ts';

type Answer<Output> = Omit<Output, '$metadata'>;

class ValidationError extends AwsError {
  constructor(message: string) {
    super('ValidationError', 400, message);
  }
}

export function getCallerIdentity(_input: object, context: Context): Answer<GetCallerIdentityCommandOutput> {
  const { account } = context.owner;
  const token = context.http?.headers['x-amz-security-token'];
  const { userId, arn } = callerOf(account, readSession(token, account));
  return { UserId: userId, Account: account, Arn: arn };
}

const newSecret = (): string => randomBytes(30).toString('base64');

/** Any well-formed role can be assumed by anyone: roles cannot be created yet, nor are their policies enforced. */
export function assumeRole(input: AssumeRoleCommandInput, context: Context): Answer<AssumeRoleCommandOutput> {
  const [, account, path] = /^arn:aws[a-z-]*:iam::(\d{12}):role\/([\w+=,.@/-]+)$/.exec(input.RoleArn ?? '') ?? [];
  const roleName = path?.split('/').at(-1) ?? '';
  if (account === undefined || roleName === '') throw new ValidationError(`${input.RoleArn} is invalid`);
  const sessionName = input.RoleSessionName ?? '';
  const seconds = input.DurationSeconds ?? 3600;
  const { arn } = callerOf(account, { account, roleName, sessionName });
  return {
    Credentials: {
      // The access key id chooses the account, so the role's account is the key.
      AccessKeyId: account,
      SecretAccessKey: newSecret(),
      SessionToken: printSession({ account, roleName, sessionName }),
      Expiration: new Date(context.now + seconds * 1000),
    },
    AssumedRoleUser: { AssumedRoleId: `${roleId(account, roleName)}:${sessionName}`, Arn: arn },
    SourceIdentity: input.SourceIdentity,
  };
}

export function getSessionToken(
  input: GetSessionTokenCommandInput,
  context: Context,
): Answer<GetSessionTokenCommandOutput> {
  const seconds = input.DurationSeconds ?? 12 * 3600;
  return {
    Credentials: {
      AccessKeyId: context.owner.account,
      SecretAccessKey: newSecret(),
      SessionToken: `slipway-${randomBytes(24).toString('base64url')}`,
      Expiration: new Date(context.now + seconds * 1000),
    },
  };
}

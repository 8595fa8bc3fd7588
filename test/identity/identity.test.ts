import { GetRoleCommand, IAMClient, ListRolesCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { createTestServer, noEngine } from '@slipway/server/testing';
import type { TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer({ engine: noEngine() });
});
afterAll(() => server.close());

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const options = (credentials: Keys) => ({ endpoint: server.url, region: 'us-east-1', maxAttempts: 1, credentials });
const sts = (keys: Keys) => new STSClient(options(keys));
const iam = (keys: Keys) => new IAMClient(options(keys));
const keysOf = (accessKeyId: string): Keys => ({ accessKeyId, secretAccessKey: 'not verified on loopback' });

async function errorOf(sending: Promise<unknown>): Promise<{ name: string; status: number | undefined }> {
  const error = await sending.then(
    () => new Error('the request succeeded'),
    (failed: Error) => failed,
  );
  const { httpStatusCode } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  return { name: error.name, status: httpStatusCode };
}

describe('STS', () => {
  it.each([
    ['123456789012', '123456789012'],
    ['AKIAIOSFODNN7EXAMPLE', '000000000000'],
  ])('tells the access key %s its account', async (accessKeyId, account) => {
    const identity = await sts(keysOf(accessKeyId)).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Account: account, UserId: account, Arn: `arn:aws:iam::${account}:root` });
  });

  it('lends credentials that act in the account of the role', async () => {
    const input = { RoleArn: 'arn:aws:iam::210987654321:role/service/deployer', RoleSessionName: 'ci-7' };
    const assumed = await sts(keysOf('123456789012')).send(new AssumeRoleCommand({ ...input, DurationSeconds: 900 }));
    const arn = 'arn:aws:sts::210987654321:assumed-role/deployer/ci-7';
    expect(assumed.AssumedRoleUser?.Arn).toBe(arn);
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = assumed.Credentials ?? {};
    const lifetimeMs = Number(Expiration) - Date.now();
    expect(lifetimeMs).toBeGreaterThan(850_000);
    expect(lifetimeMs).toBeLessThan(910_000);
    const lent = {
      accessKeyId: String(AccessKeyId),
      secretAccessKey: String(SecretAccessKey),
      sessionToken: String(SessionToken),
    };
    const identity = await sts(lent).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Account: '210987654321', Arn: arn });
    expect(identity.UserId).toMatch(/^AROA[A-Z2-7]{17}:ci-7$/);
  });

  it('refuses what is no role', async () => {
    const RoleSessionName = 'session';
    for (const RoleArn of ['arn:aws:iam::123:role/x', 'arn:aws:iam::123456789012:user/someone']) {
      const error = await errorOf(sts(keysOf('1')).send(new AssumeRoleCommand({ RoleArn, RoleSessionName })));
      expect(error).toEqual({ name: 'ValidationError', status: 400 });
    }
  });

  it('gives a session of one’s own account', async () => {
    const { Credentials } = await sts(keysOf('123456789012')).send(new GetSessionTokenCommand({}));
    expect(Credentials?.AccessKeyId).toBe('123456789012');
  });
});

describe('IAM', () => {
  it('has any role, which SageMaker may assume', async () => {
    const { Role } = await iam(keysOf('123456789012')).send(new GetRoleCommand({ RoleName: 'SageMakerRole' }));
    expect(Role).toMatchObject({ RoleName: 'SageMakerRole', Arn: 'arn:aws:iam::123456789012:role/SageMakerRole' });
    expect(Role?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    const document = JSON.parse(decodeURIComponent(String(Role?.AssumeRolePolicyDocument))) as {
      Statement: { Principal: { Service: string } }[];
    };
    expect(document.Statement[0]?.Principal.Service).toBe('sagemaker.amazonaws.com');
    const again = await iam(keysOf('123456789012')).send(new GetRoleCommand({ RoleName: 'SageMakerRole' }));
    expect(again.Role).toEqual(Role);
  });

  it('refuses a name that no role can have', async () => {
    const error = await errorOf(iam(keysOf('1')).send(new GetRoleCommand({ RoleName: 'a role' })));
    expect(error).toEqual({ name: 'ValidationError', status: 400 });
  });

  it('allows everything, a page at a time', async () => {
    const client = iam(keysOf('123456789012'));
    const input = {
      PolicySourceArn: 'arn:aws:iam::123456789012:role/SageMakerRole',
      ActionNames: ['s3:GetObject', 's3:PutObject', 'sagemaker:CreateTrainingJob'],
    };
    const first = await client.send(new SimulatePrincipalPolicyCommand({ ...input, MaxItems: 2 }));
    const rest = await client.send(new SimulatePrincipalPolicyCommand({ ...input, Marker: first.Marker }));
    const results = [...(first.EvaluationResults ?? []), ...(rest.EvaluationResults ?? [])];
    expect(results.map(({ EvalActionName }) => EvalActionName)).toEqual(input.ActionNames);
    expect(results.every(({ EvalDecision }) => EvalDecision === 'allowed')).toBe(true);
    expect([first.IsTruncated, rest.IsTruncated]).toEqual([true, false]);
  });

  it('says which operation it does not have', async () => {
    const error = await errorOf(iam(keysOf('1')).send(new ListRolesCommand({})));
    expect(error).toEqual({ name: 'NotImplemented', status: 501 });
  });
});

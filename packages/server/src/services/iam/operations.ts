import type {
  EvaluationResult,
  GetRoleCommandInput,
  GetRoleCommandOutput,
  SimulatePrincipalPolicyCommandInput,
  SimulatePrincipalPolicyCommandOutput,
} from '@aws-sdk/client-iam';
import { AwsError } from '../../wire/errors.ts';
import type { Context } from '../../wire/service.ts';
import { roleId } from '../role-id.ts';

type Answer<Output> = Omit<Output, '$metadata'>;

/** Who may assume a role; the SageMaker SDK looks for its own service in it before it trains (api.md, trap 35). */
const trustPolicy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

/** No role was ever created, so all have one birthday; it must not change from call to call. */
const createdAt = new Date('2024-01-01T00:00:00Z');

/** Answers for any well-formed name, until roles can be created. */
export function getRole(input: GetRoleCommandInput, { owner }: Context): Answer<GetRoleCommandOutput> {
  const name = input.RoleName ?? '';
  return {
    Role: {
      Path: '/',
      RoleName: name,
      RoleId: roleId(owner.account, name),
      Arn: `arn:aws:iam::${owner.account}:role/${name}`,
      CreateDate: createdAt,
      // IAM gives policy documents URL-encoded: RFC 3986, as its API reference says.
      AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(trustPolicy)),
      MaxSessionDuration: 3600,
    },
  };
}

const defaultPage = 100;

function readMarker(marker: string | undefined): number {
  if (marker === undefined) return 0;
  if (/^\d{1,9}$/.test(marker)) return Number(marker);
  throw new AwsError('InvalidInput', 400, 'The marker is invalid.');
}

/** Everything is allowed: policies are not enforced yet. */
export function simulatePrincipalPolicy(
  input: SimulatePrincipalPolicyCommandInput,
  _context: Context,
): Answer<SimulatePrincipalPolicyCommandOutput> {
  const { ActionNames = [], ResourceArns = ['*'], MaxItems = defaultPage } = input;
  const from = readMarker(input.Marker);
  const results = ActionNames.flatMap((action) =>
    ResourceArns.map((resource): EvaluationResult => ({
      EvalActionName: action,
      EvalResourceName: resource,
      EvalDecision: 'allowed',
      MatchedStatements: [],
      MissingContextValues: [],
    })),
  );
  const isTruncated = results.length > from + MaxItems;
  return {
    EvaluationResults: results.slice(from, from + MaxItems),
    IsTruncated: isTruncated,
    Marker: isTruncated ? String(from + MaxItems) : undefined,
  };
}

import { roleId } from '../role-id.ts';

/** Who is calling: the account itself, or a role that was assumed in it. */
export interface Caller {
  readonly userId: string;
  readonly arn: string;
}

export interface AssumedRole {
  readonly account: string;
  readonly roleName: string;
  readonly sessionName: string;
}

const tokenPrefix = 'slipway-session-';

/**
 * A session token says in the open which role was assumed: signatures are not verified, so it proves nothing and is
 * only there for GetCallerIdentity to tell.
 */
export const printSession = (role: AssumedRole): string =>
  tokenPrefix + Buffer.from(JSON.stringify(role)).toString('base64url');

/** @returns undefined for a token of another make, or of another account than the access key's */
export function readSession(token: string | undefined, account: string): AssumedRole | undefined {
  if (token?.startsWith(tokenPrefix) !== true) return undefined;
  try {
    const text = Buffer.from(token.slice(tokenPrefix.length), 'base64url').toString('utf8');
    const role = JSON.parse(text) as Partial<Record<keyof AssumedRole, unknown>>;
    const { roleName, sessionName } = role;
    if (typeof roleName !== 'string' || typeof sessionName !== 'string' || role.account !== account) return undefined;
    return { account, roleName, sessionName };
  } catch {
    return undefined;
  }
}

export function callerOf(account: string, session: AssumedRole | undefined): Caller {
  if (session === undefined) return { userId: account, arn: `arn:aws:iam::${account}:root` };
  const { roleName, sessionName } = session;
  return {
    userId: `${roleId(account, roleName)}:${sessionName}`,
    arn: `arn:aws:sts::${account}:assumed-role/${roleName}/${sessionName}`,
  };
}

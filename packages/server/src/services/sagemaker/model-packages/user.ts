import type { Owner } from '@slipway/kit/machine';

/** Who did it, as far as a server that does not verify signatures knows: the account. */
export function userOf(owner: Owner) {
  return { IamIdentity: { Arn: `arn:aws:iam::${owner.account}:root`, PrincipalId: owner.account } };
}

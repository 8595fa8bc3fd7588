import { createHash } from 'node:crypto';

/** AWS's ids of roles are `AROA` and 17 characters; ours are a digest, so that one role has one id without a row. */
export function roleId(account: string, roleName: string): string {
  const digest = createHash('sha256').update(`role ${account}/${roleName}`).digest();
  const letters = [...digest.subarray(0, 17)].map((byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(byte % 32));
  return `AROA${letters.join('')}`;
}

import type { Owner } from '@slipway/kit/machine';

/**
 * The variables of a job's or worker's process. A script may call AWS itself, so it gets this server's address and
 * credentials that name its account; a user's own values of these win.
 */
export function awsEnvironment(owner: Owner, baseUrl: string): Readonly<Record<string, string>> {
  return {
    AWS_REGION: owner.region,
    AWS_DEFAULT_REGION: owner.region,
    AWS_ENDPOINT_URL: baseUrl,
    S3_ENDPOINT_URL: baseUrl,
    AWS_ACCESS_KEY_ID: owner.account,
    AWS_SECRET_ACCESS_KEY: 'slipway',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

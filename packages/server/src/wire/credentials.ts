import type { Owner } from '@slipway/kit/machine';
import { AwsError } from './errors.ts';

export const DEFAULT_ACCOUNT = '000000000000';
export const DEFAULT_REGION = 'us-east-1';

/** What a request says about its sender. The signature is not verified yet: the server is bound to loopback. */
export interface Credentials {
  readonly accessKeyId: string | undefined;
  /** Of the signature's scope; SigV4A has none. */
  readonly region: string | undefined;
  /** The signing name of the service, for example `sagemaker` for both its planes. */
  readonly service: string | undefined;
}

const HEADER = /^AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256)\s+(?:.*,\s*)?Credential=([^,\s]{1,512})/;
const REGION = /^[a-z]{2}[a-z0-9-]{1,30}$/;

/** Reads the SigV4 scope from the header or from a presigned URL, or the key of SigV2, which boto3 still uses there. */
export function readCredentials(headers: Readonly<Record<string, string>>, query: URLSearchParams): Credentials {
  const authorization = headers['authorization'];
  const scope = authorization === undefined ? query.get('X-Amz-Credential') : HEADER.exec(authorization)?.[1];
  if (typeof scope === 'string') return parseScope(scope);
  const v2Key = /^AWS ([^:\s]{1,128}):/.exec(authorization ?? '')?.[1] ?? query.get('AWSAccessKeyId') ?? undefined;
  return { accessKeyId: v2Key, region: undefined, service: v2Key === undefined ? undefined : 's3' };
}

/** `<key>/<date>/<region>/<service>/aws4_request`; without the region in SigV4A. */
function parseScope(scope: string): Credentials {
  const parts = scope.split('/');
  const [accessKeyId] = parts;
  const region = parts.length === 5 ? parts[2] : undefined;
  const isScope = parts.length === 4 || parts.length === 5;
  if (!isScope || parts.at(-1) !== 'aws4_request' || (region !== undefined && !REGION.test(region))) {
    const sentence = 'Credential should be scoped to a valid region, not the one that was sent.';
    throw new AwsError('InvalidSignatureException', 400, sentence);
  }
  return { accessKeyId, region, service: parts.at(-2) };
}

/** A 12-digit access key id is the account itself; any other belongs to the default account. */
export function ownerOf(credentials: Credentials): Owner {
  const { accessKeyId, region } = credentials;
  const isAccount = accessKeyId !== undefined && /^\d{12}$/.test(accessKeyId);
  return { account: isAccount ? accessKeyId : DEFAULT_ACCOUNT, region: region ?? DEFAULT_REGION };
}

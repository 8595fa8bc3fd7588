import { createHash } from 'node:crypto';
import { AwsError } from '../../wire/errors.ts';
import type { Context } from '../../wire/service.ts';
import { parseAlgorithm, runningDigest } from './checksums/checksums.ts';
import { AccessDenied, BadDigest } from './errors.ts';

/** `20250131T235959Z`. @returns NaN when it is not one */
function parseAmzDate(text: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

const maxExpirySeconds = 7 * 24 * 3600;

function queryError(message: string): AwsError {
  return new AwsError('AuthorizationQueryParametersError', 400, message);
}

/** A presigned URL holds from its date for its number of seconds, on the server's clock. */
function checkPresigned(query: URLSearchParams, context: Context): void {
  const expires = query.get('X-Amz-Expires') ?? '';
  if (!/^\d{1,9}$/.test(expires)) throw queryError('X-Amz-Expires should be a number');
  if (Number(expires) > maxExpirySeconds) {
    throw queryError(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  const signedAt = parseAmzDate(query.get('X-Amz-Date') ?? '');
  if (Number.isNaN(signedAt))
    throw queryError("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  const until = signedAt + Number(expires) * 1000;
  if (context.now <= until) return;
  throw new AccessDenied('Request has expired', {
    'X-Amz-Expires': expires,
    Expires: new Date(until).toISOString(),
    ServerTime: new Date(context.now).toISOString(),
  });
}

/** Bodies that were read whole (XML) are checked here; streaming ones by whoever reads them. */
function checkWholeBody(body: Uint8Array, headers: Readonly<Record<string, string>>): void {
  const md5 = headers['content-md5'];
  if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5.trim()) {
    const isDigest = Buffer.from(md5, 'base64').length === 16;
    if (isDigest) throw new BadDigest('The Content-MD5 you specified did not match what we received.');
    throw new AwsError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', { 'Content-MD5': md5 });
  }
  // Which header holds the body's checksum (and not that of an object, as in CompleteMultipartUpload) is named by this.
  const algorithm = headers['x-amz-sdk-checksum-algorithm'];
  if (algorithm === undefined) return;
  const sent = headers[`x-amz-checksum-${algorithm.toLowerCase()}`];
  if (sent === undefined) return;
  const digest = runningDigest(parseAlgorithm(algorithm));
  digest.update(body);
  if (digest.digest().toString('base64') !== sent.trim()) {
    throw new BadDigest(`The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`);
  }
}

/** What every request must satisfy whatever its operation. @throws AccessDenied, BadDigest, InvalidDigest */
export function checkRequest(context: Context): void {
  const { http } = context;
  if (http === undefined) return;
  if (http.query.has('X-Amz-Signature')) checkPresigned(http.query, context);
  if (http.body !== undefined) checkWholeBody(http.body, http.headers);
}

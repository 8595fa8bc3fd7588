/** Where the round trip is not what goes in comes out, each with its reason. */

/** Operations that are not driven. */
export const NOT_DRIVEN: ReadonlySet<string> = new Set([
  // Answers are event streams, which the wire does not print yet; they answer 501.
  'sagemaker-runtime InvokeEndpointWithResponseStream',
  's3 SelectObjectContent',
  'logs StartLiveTail',
  'logs GetLogObject',
]);

/** Members that clients compute, sign or check themselves. `input`/`output` and the name of the outermost member. */
const S3_CHECKSUMS = [
  'CRC32',
  'CRC32C',
  'CRC64NVME',
  'SHA1',
  'SHA256',
  'SHA512',
  'MD5',
  'XXHASH64',
  'XXHASH3',
  'XXHASH128',
];
export const SKIPPED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    's3',
    new Set([
      // The clients compute these from the body and refuse a value that does not match it.
      ...S3_CHECKSUMS.flatMap((name) => [`input Checksum${name}`, `output Checksum${name}`]),
      'input ChecksumAlgorithm',
      'input ContentMD5',
      'input ContentLength',
      'output ContentLength',
      // The clients encode the key and add its MD5 (and want https).
      'input SSECustomerKey',
      'input SSECustomerKeyMD5',
      'input CopySourceSSECustomerKey',
      'input CopySourceSSECustomerKeyMD5',
    ]),
  ],
]);

/** Members that only one side has. */
export const IGNORED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    's3',
    new Set([
      ...S3_CHECKSUMS.map((name) => `input Checksum${name}`),
      'input ChecksumAlgorithm',
      'input ContentMD5',
      'input ContentLength',
      'output ContentLength',
      // The clients keep the header's text beside the date.
      'output ExpiresString',
    ]),
  ],
]);

/** Members that clients fill in where their user does not, or that they need in every answer. */
export const ALWAYS: ReadonlySet<string> = new Set([
  'ClientToken',
  'ClientRequestToken',
  'clientToken',
  'CopyObjectResult',
  'CopyPartResult',
  'Policy',
]);

/** Numbers for botocore, text for the JavaScript SDK; the same on the wire. */
export const NUMBERS_IN_BOTOCORE: ReadonlySet<string> = new Set(['PartNumberMarker', 'NextPartNumberMarker']);

/** The text of every value of a shape. botocore decodes IAM's policies where they are JSON, so these are none. */
export const TEXTS: ReadonlyMap<string, string> = new Map([['policyDocumentType', 'not { JSON']]);

/** Values that clients compute with. */
export const FIXED: ReadonlyMap<string, ReadonlyMap<string, unknown>> = new Map([
  // Sent by the JavaScript client where its user gives none.
  ['sagemaker-runtime', new Map<string, unknown>([['ContentType', 'text/csv']])],
  [
    's3',
    new Map<string, unknown>([
      ['Bucket', 'some-bucket'],
      ['CopySource', 'other-bucket/a/key'],
      // Sent by the JavaScript client where its user gives none.
      ['ContentType', 'text/plain'],
      // botocore asks for it itself, and decodes keys only then.
      ['EncodingType', 'url'],
    ]),
  ],
]);

/**
 * Query and XML cannot say an empty structure, list or map apart from an absent one, nor a header or a form an empty
 * body.
 */
export function withoutEmpty(value: unknown, protocol: string): unknown {
  if (protocol === 'json') return value;
  // botocore's LocationConstraint of a bucket in us-east-1.
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutEmpty(item, protocol));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, withoutEmpty(inner, protocol)] as const)
      .filter(([, inner]) => inner !== undefined && (typeof inner !== 'object' || Object.keys(inner ?? {}).length > 0))
      .filter(([, inner]) => inner !== 'bytes '),
  );
}

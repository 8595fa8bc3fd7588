import { escapeXml } from '../nodes/xml.ts';

/** What S3 does and its model does not say. Sources: the Amazon S3 API reference's sample answers. */

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Root elements of answers; the model has lost them. All others are the output shape's name. */
export const ROOT_NAMES: ReadonlyMap<string, string> = new Map([
  ['CompleteMultipartUpload', 'CompleteMultipartUploadResult'],
  ['CopyObject', 'CopyObjectResult'],
  ['CreateMultipartUpload', 'InitiateMultipartUploadResult'],
  ['DeleteObjects', 'DeleteResult'],
  ['GetBucketAccelerateConfiguration', 'AccelerateConfiguration'],
  ['GetBucketAcl', 'AccessControlPolicy'],
  ['GetBucketCors', 'CORSConfiguration'],
  ['GetBucketLifecycleConfiguration', 'LifecycleConfiguration'],
  ['GetBucketLogging', 'BucketLoggingStatus'],
  ['GetBucketNotificationConfiguration', 'NotificationConfiguration'],
  ['GetBucketRequestPayment', 'RequestPaymentConfiguration'],
  ['GetBucketTagging', 'Tagging'],
  ['GetBucketVersioning', 'VersioningConfiguration'],
  ['GetBucketWebsite', 'WebsiteConfiguration'],
  ['GetObjectAcl', 'AccessControlPolicy'],
  ['GetObjectAttributes', 'GetObjectAttributesResponse'],
  ['GetObjectTagging', 'Tagging'],
  ['ListBuckets', 'ListAllMyBucketsResult'],
  ['ListMultipartUploads', 'ListMultipartUploadsResult'],
  ['ListObjectVersions', 'ListVersionsResult'],
  ['ListObjects', 'ListBucketResult'],
  ['ListObjectsV2', 'ListBucketResult'],
  ['ListParts', 'ListPartsResult'],
  ['UploadPartCopy', 'CopyPartResult'],
]);

/** The region is the text of the root element itself, empty for us-east-1. */
export function printBucketLocation(output: Readonly<Record<string, unknown>>): string {
  const region = typeof output['LocationConstraint'] === 'string' ? output['LocationConstraint'] : '';
  return `<LocationConstraint xmlns="${S3_NAMESPACE}">${escapeXml(region)}</LocationConstraint>`;
}

/** A range is answered with 206, which the model has no member for. */
export function isPartial(operation: string, output: Readonly<Record<string, unknown>>): boolean {
  return (operation === 'GetObject' || operation === 'HeadObject') && output['ContentRange'] !== undefined;
}

/** S3's second id is opaque base64; ours repeats the request's, so that a report with either finds the log line. */
export const hostIdOf = (requestId: string): string => Buffer.from(`slipway/${requestId}`).toString('base64');

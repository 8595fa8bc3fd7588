import { join } from 'node:path';
import { isDiskFull } from '@slipway/kit/sqlite';
import type { Context, Handler, Handlers, Service } from '../../wire/service.ts';
import type { ServerParts } from '../parts.ts';
import { openBlobs } from './blobs/blobs.ts';
import * as buckets from './buckets/operations.ts';
import { bucketStore } from './buckets/store.ts';
import { NoSpace } from './errors.ts';
import { checkRequest } from './guard.ts';
import * as listings from './listings/operations.ts';
import { trackConflicts } from './objects/conditions.ts';
import { contentStore } from './objects/contents.ts';
import { copyObject } from './objects/copy.ts';
import { deleteObject, deleteObjects } from './objects/delete.ts';
import { getObject, getObjectTagging, headObject } from './objects/get.ts';
import { putObject } from './objects/put.ts';
import { objectStore } from './objects/store.ts';
import type { S3Parts } from './parts.ts';
import { completeMultipartUpload } from './uploads/complete.ts';
import * as uploads from './uploads/operations.ts';
import { uploadPart, uploadPartCopy } from './uploads/parts.ts';
import { uploadStore } from './uploads/store.ts';

/** Every operation, as a function of the parts, the input and the context. */
const operations = {
  AbortMultipartUpload: uploads.abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: buckets.createBucket,
  CreateMultipartUpload: uploads.createMultipartUpload,
  DeleteBucket: buckets.deleteBucket,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketLocation: buckets.getBucketLocation,
  GetBucketVersioning: buckets.getBucketVersioning,
  GetObject: getObject,
  GetObjectTagging: getObjectTagging,
  HeadBucket: buckets.headBucket,
  HeadObject: headObject,
  ListBuckets: buckets.listBuckets,
  ListMultipartUploads: uploads.listMultipartUploads,
  ListObjects: listings.listObjects,
  ListObjectsV2: listings.listObjectsV2,
  ListObjectVersions: listings.listObjectVersions,
  ListParts: uploads.listParts,
  PutBucketVersioning: buckets.putBucketVersioning,
  PutObject: putObject,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
} as const;

type Operation<Input> = (s3: S3Parts, input: Input, context: Context) => object | Promise<object>;

function bind<Input>(s3: S3Parts, folder: string, operation: Operation<Input>): Handler<Input, object> {
  return async (input, context) => {
    checkRequest(context);
    try {
      return await operation(s3, input, context);
    } catch (error) {
      throw isDiskFull(error) ? new NoSpace(folder) : error;
    }
  };
}

/** Amazon S3: buckets, objects and their versions, multipart uploads. Bytes lie in `<dataFolder>/s3`. */
export function createS3(parts: ServerParts): Service {
  const folder = join(parts.dataFolder, 's3');
  const { db, clock } = parts;
  const contents = contentStore(db);
  const s3: S3Parts = {
    db,
    clock,
    blobs: openBlobs(folder),
    buckets: bucketStore(db),
    objects: objectStore(db, contents),
    contents,
    uploads: uploadStore(db),
    conflicts: trackConflicts(),
  };
  const bound = Object.entries(operations).map(([name, operation]): [string, Handler<never, object>] => [
    name,
    bind(s3, folder, operation as Operation<never>),
  ]);
  return {
    model: 's3',
    operations: Object.fromEntries(bound) satisfies Handlers,
    async start(closing) {
      const swept = await s3.blobs.sweep((blob) => s3.contents.isBlobInUse(blob), closing);
      if (swept > 0) parts.log.info('removed files of objects that were never stored', { files: swept });
    },
    close: () => s3.blobs.settled(),
  };
}

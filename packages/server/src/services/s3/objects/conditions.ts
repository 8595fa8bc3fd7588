import type { BucketKey } from '../buckets/store.ts';
import { ConditionalRequestConflict, NoSuchKey, NotImplemented, NotModified, PreconditionFailed } from '../errors.ts';
import { keyText } from '../names.ts';
import type { ObjectVersion } from './store.ts';

/** ETags are given with or without quotes, `*` is any. */
function names(list: string, etag: string): boolean {
  const bare = etag.replaceAll('"', '');
  return list.split(',').some((item) => {
    const name = item.trim().replace(/^W\//, '').replaceAll('"', '');
    return name === '*' || name === bare;
  });
}

export interface ReadConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

/** HTTP dates have no milliseconds, so an object's own are dropped before they are compared. */
const seconds = (instant: number): number => Math.floor(instant / 1000);

/** The order of https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html. @throws PreconditionFailed, NotModified */
export function checkRead(conditions: ReadConditions, object: ObjectVersion): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const modified = seconds(object.modifiedAt);
  if (IfMatch !== undefined) {
    if (!names(IfMatch, object.etag)) throw new PreconditionFailed('If-Match');
  } else if (IfUnmodifiedSince !== undefined && modified > seconds(IfUnmodifiedSince.getTime())) {
    throw new PreconditionFailed('If-Unmodified-Since');
  }
  if (IfNoneMatch !== undefined) {
    if (names(IfNoneMatch, object.etag)) throw new NotModified();
  } else if (IfModifiedSince !== undefined && modified <= seconds(IfModifiedSince.getTime())) {
    throw new NotModified();
  }
}

export interface CopyConditions {
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
}

/** As for a read, but a copy whose source did not change is 412 as well. */
export function checkCopySource(input: CopyConditions, source: ObjectVersion): void {
  try {
    checkRead(
      {
        IfMatch: input.CopySourceIfMatch,
        IfNoneMatch: input.CopySourceIfNoneMatch,
        IfModifiedSince: input.CopySourceIfModifiedSince,
        IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
      },
      source,
    );
  } catch (error) {
    if (!(error instanceof NotModified)) throw error;
    const byTag = input.CopySourceIfNoneMatch !== undefined;
    throw new PreconditionFailed(byTag ? 'x-amz-copy-source-If-None-Match' : 'x-amz-copy-source-If-Modified-Since');
  }
}

export interface WriteConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

/**
 * @param latest the newest version, perhaps a delete marker, which is as good as none
 * @throws PreconditionFailed, NoSuchKey, NotImplemented
 */
export function checkWrite(conditions: WriteConditions, key: Uint8Array, latest: ObjectVersion | undefined): void {
  const current = latest?.marker === true ? undefined : latest;
  const { IfMatch, IfNoneMatch } = conditions;
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch.trim() !== '*') throw new NotImplemented('If-None-Match on a write takes only *');
    if (current !== undefined) throw new PreconditionFailed('If-None-Match');
  }
  if (IfMatch !== undefined) {
    if (current === undefined) throw new NoSuchKey(keyText(key));
    if (!names(IfMatch, current.etag)) throw new PreconditionFailed('If-Match');
  }
}

/**
 * Conditional writes in flight. As S3 documents it (user guide, "Conditional writes"): of several, the first to finish
 * wins and the others get 412; a delete that succeeds before one finishes gives that one 409, and its client tries again.
 */
export interface Conflicts {
  /** Call when a conditional write begins. */
  begin(bucket: BucketKey, key: Uint8Array, conditions: WriteConditions): ConditionalWrite;
  /** Call in the transaction of a delete. */
  deleted(bucket: BucketKey, key: Uint8Array): void;
}

export interface ConditionalWrite {
  /** @throws ConditionalRequestConflict when a delete came between */
  check(): void;
  end(): void;
}

export function trackConflicts(): Conflicts {
  const inFlight = new Map<string, Set<{ conflict: boolean }>>();
  const idOf = (bucket: BucketKey, key: Uint8Array): string => `${bucket.bucket}/${Buffer.from(key).toString('hex')}`;
  return {
    begin(bucket, key, { IfMatch, IfNoneMatch }) {
      const condition = IfNoneMatch !== undefined ? 'If-None-Match' : 'If-Match';
      if (IfMatch === undefined && IfNoneMatch === undefined) return { check: () => undefined, end: () => undefined };
      const id = idOf(bucket, key);
      const write = { conflict: false };
      const writes = inFlight.get(id) ?? new Set();
      inFlight.set(id, writes.add(write));
      return {
        check() {
          if (write.conflict) throw new ConditionalRequestConflict(condition, keyText(key));
        },
        end() {
          writes.delete(write);
          if (writes.size === 0) inFlight.delete(id);
        },
      };
    },
    deleted(bucket, key) {
      for (const write of inFlight.get(idOf(bucket, key)) ?? []) write.conflict = true;
    },
  };
}

import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Owner } from '@slipway/kit/machine';
import { AwsError } from '../../wire/errors.ts';
import type { CallAws } from '../parts.ts';

export interface S3Uri {
  readonly bucket: string;
  /** May be empty, or end in `/`: then it is a prefix only. */
  readonly key: string;
}

export interface S3Entry {
  readonly key: string;
  readonly size: number;
}

/** The few things that jobs and endpoints do with S3, through the same handlers that the wire calls. */
export interface S3Access {
  /** Every key that begins with `prefix`, in S3's order. @throws AwsError NoSuchBucket */
  list(owner: Owner, bucket: string, prefix: string, signal: AbortSignal): AsyncIterable<S3Entry>;
  /** @throws AwsError NoSuchKey, NoSuchBucket */
  read(owner: Owner, uri: S3Uri, signal: AbortSignal): Promise<Readable>;
  /** Reads a small document whole. @throws RangeError when it is longer than `bytesMax` */
  readText(owner: Owner, uri: S3Uri, bytesMax: number, signal: AbortSignal): Promise<string>;
  /** Writes the object into `path`, making its folders; `path` must not exist. */
  download(owner: Owner, uri: S3Uri, path: string, signal: AbortSignal): Promise<void>;
  /** Of the newest version; undefined when there is none. `etag` is with its quotes. */
  head(
    owner: Owner,
    uri: S3Uri,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: number; readonly etag: string } | undefined>;
  put(owner: Owner, uri: S3Uri, body: Readable, bytes: number, signal: AbortSignal): Promise<void>;
}

/** @returns undefined for anything but `s3://bucket[/key]` */
export function parseS3Uri(text: string): S3Uri | undefined {
  const groups = /^s3:\/\/(?<bucket>[^/]+)(?:\/(?<key>.*))?$/s.exec(text)?.groups;
  return groups === undefined ? undefined : { bucket: groups['bucket'] ?? '', key: groups['key'] ?? '' };
}

export function s3Access(aws: CallAws): S3Access {
  const read = async (owner: Owner, uri: S3Uri, signal: AbortSignal): Promise<Readable> => {
    const answer = await aws<{ Body?: unknown }>(
      's3',
      'GetObject',
      { Bucket: uri.bucket, Key: uri.key },
      owner,
      signal,
    );
    if (answer.Body instanceof Readable) return answer.Body;
    return Readable.from(answer.Body === undefined ? [] : [answer.Body as Uint8Array]);
  };
  return {
    async *list(owner, bucket, prefix, signal) {
      let token: string | undefined;
      do {
        const page: ListPage = await aws<ListPage>(
          's3',
          'ListObjectsV2',
          { Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) },
          owner,
          signal,
        );
        for (const { Key, Size } of page.Contents ?? []) yield { key: Key, size: Size ?? 0 };
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },
    read,
    async readText(owner, uri, bytesMax, signal) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of await read(owner, uri, signal)) {
        bytes += (chunk as Buffer).byteLength;
        if (bytes > bytesMax) throw new RangeError(`s3://${uri.bucket}/${uri.key} is longer than ${bytesMax} bytes`);
        chunks.push(chunk as Buffer);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    async download(owner, uri, path, signal) {
      const body = await read(owner, uri, signal);
      await mkdir(dirname(path), { recursive: true });
      await pipeline(body, createWriteStream(path, { flags: 'wx' }), { signal });
    },
    async head(owner, { bucket, key }, signal) {
      try {
        const input = { Bucket: bucket, Key: key };
        const found = await aws<{ ContentLength?: number; ETag?: string }>('s3', 'HeadObject', input, owner, signal);
        return { bytes: found.ContentLength ?? 0, etag: found.ETag ?? '' };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async put(owner, uri, body, bytes, signal) {
      await aws(
        's3',
        'PutObject',
        { Bucket: uri.bucket, Key: uri.key, Body: body, ContentLength: bytes },
        owner,
        signal,
      );
    },
  };
}

interface ListPage {
  readonly Contents?: readonly { readonly Key: string; readonly Size?: number }[];
  readonly IsTruncated?: boolean;
  readonly NextContinuationToken?: string;
}

/** True where S3 says that what was asked for does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof AwsError && ['NoSuchBucket', 'NoSuchKey', 'NotFound'].includes(error.code);
}

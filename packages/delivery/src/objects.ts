import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { statusOf } from './aws-errors.ts';
import { DeliveryError } from './errors.ts';

/** Largest object that is read into memory, unless the caller says otherwise. */
const READ_BYTES_MAX = 16 << 20;
const BUFFERED_BYTES_MAX = 64 << 20;

export interface Stored {
  readonly etag: string;
  readonly bytes: number;
}

export interface ObjectEntry extends Stored {
  /** Without the project's prefix. */
  readonly key: string;
}

/** The project's part of one bucket. Keys are relative to `<project>/`. */
export class ProjectObjects {
  readonly bucket: string;
  readonly prefix: string;
  readonly #s3: S3Client;

  constructor(s3: S3Client, bucket: string, project: string) {
    this.#s3 = s3;
    this.bucket = bucket;
    this.prefix = `${project}/`;
  }

  uri(key: string): string {
    return `s3://${this.bucket}/${this.prefix}${key}`;
  }

  async head(key: string): Promise<Stored | undefined> {
    try {
      const answer = await this.#s3.send(new HeadObjectCommand({ Bucket: this.bucket, Key: this.prefix + key }));
      return { etag: answer.ETag ?? '', bytes: answer.ContentLength ?? 0 };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async text(key: string, maxBytes = READ_BYTES_MAX): Promise<{ text: string; etag: string } | undefined> {
    try {
      const answer = await this.#s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.prefix + key }));
      if ((answer.ContentLength ?? 0) > maxBytes) {
        throw new DeliveryError(`${this.uri(key)} has ${answer.ContentLength} bytes; ${maxBytes} is the most read.`);
      }
      return { text: (await answer.Body?.transformToString('utf-8')) ?? '', etag: answer.ETag ?? '' };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async json<T>(key: string): Promise<{ value: T; etag: string } | undefined> {
    const found = await this.text(key);
    if (found === undefined) return undefined;
    try {
      return { value: JSON.parse(found.text) as T, etag: found.etag };
    } catch {
      throw new DeliveryError(`${this.uri(key)} is not JSON; something else wrote it.`);
    }
  }

  async put(key: string, body: string | Uint8Array, contentType = 'application/json'): Promise<void> {
    await this.#put(key, body, contentType, {});
  }

  /** A file: at once where it fits in memory, because only then a broken request can be repeated; else streamed. */
  async putFile(key: string, path: string, bytes: number): Promise<void> {
    const body = bytes <= BUFFERED_BYTES_MAX ? await readFile(path) : createReadStream(path);
    await this.#s3.send(
      new PutObjectCommand({ Bucket: this.bucket, Key: this.prefix + key, Body: body, ContentLength: bytes }),
    );
  }

  /** Writes only where nothing lies. @returns its ETag, or undefined if there is (or comes) something else */
  async putNew(key: string, body: string, contentType = 'application/json'): Promise<string | undefined> {
    return this.#put(key, body, contentType, { IfNoneMatch: '*' });
  }

  /** Replaces exactly what was read. @returns its ETag, or undefined if it has changed since */
  async putOver(key: string, body: string, etag: string): Promise<string | undefined> {
    return this.#put(key, body, 'application/json', { IfMatch: etag });
  }

  async #put(
    key: string,
    body: string | Uint8Array,
    contentType: string,
    condition: { IfNoneMatch?: string; IfMatch?: string },
  ): Promise<string | undefined> {
    try {
      const answer = await this.#s3.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: this.prefix + key,
          Body: body,
          ContentType: contentType,
          ...condition,
        }),
      );
      return answer.ETag ?? '';
    } catch (error) {
      const conditional = condition.IfMatch !== undefined || condition.IfNoneMatch !== undefined;
      if (conditional && [404, 409, 412].includes(statusOf(error) ?? 0)) return undefined;
      throw error;
    }
  }

  /** Copies inside S3 to a key where nothing lies. @returns false if something lies there */
  async copyNew(sourceUri: string, key: string): Promise<boolean> {
    const { bucket, key: source } = parseUri(sourceUri);
    try {
      await this.#s3.send(
        new CopyObjectCommand({
          Bucket: this.bucket,
          Key: this.prefix + key,
          CopySource: `${bucket}/${source.split('/').map(encodeURIComponent).join('/')}`,
          IfNoneMatch: '*',
        }),
      );
      return true;
    } catch (error) {
      if ([409, 412].includes(statusOf(error) ?? 0)) return false;
      throw error;
    }
  }

  /** Keys under a prefix, sorted, after `startAfter`, at most `limit`. */
  async list(prefix: string, options: { startAfter?: string; limit: number }): Promise<ObjectEntry[]> {
    return listObjects(this.#s3, this.bucket, this.prefix + prefix, {
      limit: options.limit,
      ...(options.startAfter === undefined ? {} : { startAfter: this.prefix + options.startAfter }),
    }).then((found) => found.map((entry) => ({ ...entry, key: entry.key.slice(this.prefix.length) })));
  }
}

export async function listObjects(
  s3: S3Client,
  bucket: string,
  prefix: string,
  options: { startAfter?: string; limit: number },
): Promise<ObjectEntry[]> {
  const found: ObjectEntry[] = [];
  let token: string | undefined;
  do {
    const request = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      MaxKeys: Math.min(1000, options.limit - found.length),
      ContinuationToken: token,
      StartAfter: token === undefined ? options.startAfter : undefined,
    });
    const page = await s3.send(request).catch((error: unknown) => {
      // Before the first run there is no bucket, and nothing in it.
      if (statusOf(error) === 404) return undefined;
      throw error;
    });
    if (page === undefined) return [];
    for (const entry of page.Contents ?? []) {
      if (entry.Key !== undefined) found.push({ key: entry.Key, etag: entry.ETag ?? '', bytes: entry.Size ?? 0 });
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined && found.length < options.limit);
  return found;
}

export function parseUri(uri: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  if (match?.[1] === undefined) throw new DeliveryError(`${uri} is not an S3 URI (s3://bucket/key).`);
  return { bucket: match[1], key: match[2] ?? '' };
}

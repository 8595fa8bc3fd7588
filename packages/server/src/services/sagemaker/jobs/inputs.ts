import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Owner } from '@slipway/kit/machine';
import { linkSignals } from '@slipway/kit/signals';
import { isDiskFull } from '@slipway/kit/sqlite';
import { AwsError } from '../../../wire/errors.ts';
import { ClientError } from './client-error.ts';
import { isSafePath } from '../archives/safe-path.ts';
import { parseS3Uri, type S3Access, type S3Uri } from '../s3-access.ts';

/** What a training channel and a processing input have in common. */
export interface S3Input {
  /** For messages: the channel's or input's name. */
  readonly name: string;
  readonly uri: string;
  readonly type: 'S3Prefix' | 'ManifestFile';
  readonly folder: string;
  /** Where a manifest itself is kept, as training does (`<channel>-manifest`). */
  readonly manifestPath?: string;
}

/** Downloads at the same time; more does not help one disk. */
const PARALLEL = 8;
const OBJECTS_MAX = 1_000_000;
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Brings an input's objects into its folder.
 *
 * A prefix that names a folder (`…/train`, `…/train/`) gives what lies below it; one that ends within a name
 * (`…/tra`) gives what follows the prefix's last slash; one that is exactly a key gives that object by its base name.
 *
 * @throws ClientError in AWS's words ("Data download failed: …") when there is nothing, or a name cannot be a file
 */
export async function downloadInput(
  s3: S3Access,
  owner: Owner,
  role: string,
  input: S3Input,
  signal: AbortSignal,
): Promise<void> {
  const uri = parseS3Uri(input.uri);
  if (uri === undefined) throw failure(`the S3 URL "${input.uri}" of ${input.name} is not an s3:// URL`);
  await mkdir(input.folder, { recursive: true });
  try {
    const files =
      input.type === 'ManifestFile' ? fromManifest(s3, owner, uri, input, signal) : below(s3, owner, uri, signal);
    const count = await fetchAll(s3, owner, input, files, signal);
    if (count === 0) throw failure(nothingFound(owner, role, input.uri, uri.bucket));
  } catch (error) {
    if (error instanceof AwsError && error.code === 'NoSuchBucket') {
      throw failure(`${nothingFound(owner, role, input.uri, uri.bucket)} Error message from S3: ${error.message}`);
    }
    if (error instanceof AwsError && error.status < 500) {
      throw failure(`${error.code} (${error.status}): ${error.message}`);
    }
    throw storageFailure(error);
  }
}

interface Wanted {
  readonly key: string;
  readonly bucket: string;
  readonly path: string;
}

async function* below(s3: S3Access, owner: Owner, uri: S3Uri, signal: AbortSignal): AsyncIterable<Wanted> {
  const midName = uri.key.slice(uri.key.lastIndexOf('/') + 1).length;
  for await (const { key, size } of s3.list(owner, uri.bucket, uri.key, signal)) {
    if (key.endsWith('/') && size === 0) continue;
    const rest = key.slice(uri.key.length);
    if (key === uri.key) yield { bucket: uri.bucket, key, path: basename(key) };
    else if (midName === 0 || rest.startsWith('/')) yield { bucket: uri.bucket, key, path: rest.replace(/^\//, '') };
    else yield { bucket: uri.bucket, key, path: key.slice(uri.key.length - midName) };
  }
}

async function* fromManifest(
  s3: S3Access,
  owner: Owner,
  uri: S3Uri,
  input: S3Input,
  signal: AbortSignal,
): AsyncIterable<Wanted> {
  if (input.manifestPath !== undefined) await s3.download(owner, uri, input.manifestPath, signal);
  let manifest: unknown;
  try {
    manifest = JSON.parse(await s3.readText(owner, uri, MANIFEST_BYTES_MAX, signal));
  } catch (error) {
    if (error instanceof AwsError) throw error;
    throw failure(`the manifest ${input.uri} is not valid JSON`);
  }
  const [head, ...names] = Array.isArray(manifest) ? (manifest as unknown[]) : [];
  const prefix = parseS3Uri(String((head as { prefix?: unknown } | null | undefined)?.prefix));
  if (prefix === undefined || !names.every((name) => typeof name === 'string')) {
    throw failure(`the manifest ${input.uri} is not a list of {"prefix": "s3://…"} and relative names`);
  }
  for (const name of names as string[]) yield { bucket: prefix.bucket, key: prefix.key + name, path: name };
}

async function fetchAll(
  s3: S3Access,
  owner: Owner,
  input: S3Input,
  files: AsyncIterable<Wanted>,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  const iterator = files[Symbol.asyncIterator]();
  // The first failure ends the other downloads before the job's folder is cleared under them.
  const failed = new AbortController();
  const { signal: either, unlink } = linkSignals(signal, failed.signal);
  const worker = async (): Promise<void> => {
    try {
      for (;;) {
        either.throwIfAborted();
        const next = await iterator.next();
        if (next.done === true) return;
        if ((count += 1) > OBJECTS_MAX) throw failure(`${input.uri} has more than ${OBJECTS_MAX} objects`);
        await fetchOne(s3, owner, input, next.value, either);
      }
    } catch (error) {
      failed.abort(error);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  unlink();
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return count;
}

async function fetchOne(s3: S3Access, owner: Owner, input: S3Input, file: Wanted, signal: AbortSignal): Promise<void> {
  if (!isSafePath(file.path)) {
    throw failure(`the key "${file.key}" of ${input.name} cannot be the name of a file`);
  }
  const path = join(input.folder, file.path);
  const body = await s3.read(owner, file, signal);
  try {
    await mkdir(dirname(path), { recursive: true });
    await pipeline(body, createWriteStream(path, { flags: 'wx' }), { signal });
  } catch (error) {
    body.destroy();
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR') {
      throw failure(`two objects of ${input.name} have the same file name: "${file.path}"`);
    }
    throw error;
  }
}

function failure(message: string): ClientError {
  return new ClientError(`Data download failed: ${message}`);
}

/** A full disk is the user's to repair; AWS would say it of the volume's size. */
function storageFailure(error: unknown): unknown {
  if (!isDiskFull(error)) return error;
  return failure('Failed to download data. No space is left on the disk that holds the data folder.');
}

function nothingFound(owner: Owner, role: string, uri: string, bucket: string): string {
  return (
    `No S3 objects found under S3 URL "${uri}" given in input data source. Please ensure that the bucket exists in the ` +
    `selected region (${owner.region}), that objects exist under that S3 prefix, and that the role "${role}" has ` +
    `"s3:ListBucket" permissions on bucket "${bucket}".`
  );
}

import { lstat, stat } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import { canonical, digestOf, short } from '../digest.ts';
import { InvalidRequest } from '../errors.ts';
import { keys } from '../names.ts';
import { listObjects, parseUri } from '../objects.ts';
import type { ResolvedModel } from '../project/model.ts';
import type { Site } from '../site.ts';
import { measureCsv, toPosix, walk } from './files.ts';

const DATA_FILES_MAX = 10_000;
/** What one PutObject takes on S3. */
const FILE_BYTES_MAX = 5 * 2 ** 30;

/** A data set under its digest: what is trained on is what was looked at. */
export interface DataSet {
  readonly digest: string;
  /** The folder's name under `models/<model>/data/`. */
  readonly window: string;
  /** The S3 prefix with the CSV files. */
  readonly uri: string;
  readonly manifest: Manifest;
}

export interface Manifest {
  readonly schemaVersion: '1';
  readonly source: string;
  readonly digest: string;
  readonly files: readonly { path: string; bytes: number; sha256?: string; etag?: string; rows?: number }[];
  readonly rows?: number;
  readonly columns?: readonly string[];
}

interface LocalFile {
  readonly path: string;
  readonly absolute: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
  readonly columns: readonly string[];
}

/** Reads what the data is, and changes nothing. */
export async function readData(model: ResolvedModel, site: Site): Promise<DataSet & { local: readonly LocalFile[] }> {
  const { files } = model.data;
  if (files.kind === 's3') return { ...(await readPrefix(site, files.uri)), local: [] };
  const local = await readLocal(files.absolute, files.path);
  const digest = digestOf(local.map(({ path, sha256 }) => [path, sha256]));
  const window = `files-${short(digest)}`;
  const manifest: Manifest = {
    schemaVersion: '1',
    source: files.path,
    digest,
    files: local.map(({ path, bytes, sha256, rows }) => ({ path, bytes, sha256, rows })),
    rows: local.reduce((sum, file) => sum + file.rows, 0),
    columns: local[0]?.columns ?? [],
  };
  const uri = site.objects.uri(`${keys.data(model.name, window)}/files/`);
  return { digest, window, uri, manifest, local };
}

async function readLocal(absolute: string, shown: string): Promise<LocalFile[]> {
  const entry = await stat(absolute).catch(() => undefined);
  if (entry === undefined) {
    throw new InvalidRequest(`The data ${shown} does not exist.`, 'Correct `data.files` in the model file.');
  }
  const paths = entry.isDirectory() ? (await walk(absolute)).filter((path) => /\.csv$/i.test(path)) : [absolute];
  if (paths.length === 0) throw new InvalidRequest(`The folder ${shown} holds no CSV file (*.csv).`);
  if (paths.length > DATA_FILES_MAX) throw new InvalidRequest(`${shown} holds more than ${DATA_FILES_MAX} files.`);
  const files: LocalFile[] = [];
  for (const path of paths) {
    const { size } = await lstat(path);
    if (size > FILE_BYTES_MAX) throw new InvalidRequest(`${path} is larger than 5 GB.`, 'Split it, or put it on S3.');
    const { sha256, records, columns } = await measureCsv(path);
    const name = entry.isDirectory() ? toPosix(relative(absolute, path)) : basename(path);
    files.push({ path: name, absolute: path, bytes: size, sha256, rows: Math.max(0, records - 1), columns });
  }
  return files;
}

async function readPrefix(site: Site, uri: string): Promise<DataSet> {
  const { bucket, key } = parseUri(uri);
  const found = await listObjects(site.aws.s3, bucket, key, { limit: DATA_FILES_MAX + 1 });
  const files = found.filter((entry) => /\.csv$/i.test(entry.key));
  if (files.length === 0) throw new InvalidRequest(`There is no CSV object (*.csv) under ${uri}.`);
  if (found.length > DATA_FILES_MAX) throw new InvalidRequest(`${uri} holds more than ${DATA_FILES_MAX} objects.`);
  const digest = digestOf(files.map((entry) => [entry.key, entry.etag]));
  const manifest: Manifest = {
    schemaVersion: '1',
    source: uri,
    digest,
    files: files.map((entry) => ({ path: entry.key, bytes: entry.bytes, etag: entry.etag })),
  };
  return { digest, window: `s3-${short(digest)}`, uri, manifest };
}

/** Uploads the data under its digest unless its manifest says that all of it lies there. @returns whether it did */
export async function storeData(
  model: ResolvedModel,
  site: Site,
  data: DataSet & { local: readonly LocalFile[] },
): Promise<boolean> {
  const folder = keys.data(model.name, data.window);
  if ((await site.objects.head(`${folder}/manifest.json`)) !== undefined) return false;
  for (const file of data.local) {
    await site.objects.putFile(`${folder}/files/${file.path}`, file.absolute, file.bytes);
  }
  // The manifest comes last: where it lies, everything it names does.
  await site.objects.putNew(`${folder}/manifest.json`, canonical(data.manifest));
  return true;
}

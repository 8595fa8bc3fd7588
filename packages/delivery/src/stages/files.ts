import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path';
import { InvalidRequest } from '../errors.ts';
import { matcher } from './glob.ts';

/** A file that goes with a model: its name in the code folder, and what it holds. */
export interface SourceFile {
  /** With forward slashes, relative to the code folder. */
  readonly path: string;
  readonly absolute: string;
  readonly bytes: number;
  readonly sha256: string;
}

const FILES_MAX = 5_000;
const BYTES_MAX = 256 << 20;
const SKIPPED_FOLDERS = new Set(['__pycache__', 'node_modules', '.git', '.slipway', '.venv', 'venv']);

/**
 * The files of a model's folder and its shared `inputs`, sorted by name. Hidden files, caches and what `excluded` names
 * (the data, the model's file) are left out. A link is refused: where it leads may change without a trace.
 *
 * @param inputs globs relative to the model's folder; what lies outside of it keeps its path in the project
 */
export async function sourceFiles(
  folder: string,
  projectFolder: string,
  inputs: readonly string[],
  excluded: readonly string[],
): Promise<SourceFile[]> {
  const found = new Map<string, string>();
  for (const absolute of await walk(folder)) {
    if (!excluded.some((path) => isWithin(absolute, path))) found.set(toPosix(relative(folder, absolute)), absolute);
  }
  for (const input of inputs) {
    for (const absolute of await expand(folder, projectFolder, input)) {
      const inside = isWithin(absolute, folder);
      const path = toPosix(relative(inside ? folder : projectFolder, absolute));
      const other = found.get(path);
      if (other !== undefined && other !== absolute) {
        throw new InvalidRequest(`The input ${input} would put ${path} where the model's own folder has one.`);
      }
      found.set(path, absolute);
    }
  }
  const paths = [...found.keys()].toSorted();
  if (paths.length > FILES_MAX)
    throw new InvalidRequest(`${folder} has ${paths.length} files; ${FILES_MAX} is the most.`);
  const files: SourceFile[] = [];
  let total = 0;
  for (const path of paths) {
    const absolute = found.get(path) ?? '';
    const { size } = await lstat(absolute);
    total += size;
    if (total > BYTES_MAX) {
      throw new InvalidRequest(
        `The files of ${folder} are more than ${BYTES_MAX >> 20} MB, the latest being ${path}.`,
        'Keep data out of the model folder, or name it in `data.files`.',
      );
    }
    const sha256 = createHash('sha256')
      .update(await readFile(absolute))
      .digest('hex');
    files.push({ path, absolute, bytes: size, sha256 });
  }
  return files;
}

async function expand(folder: string, projectFolder: string, input: string): Promise<string[]> {
  const wild = input.search(/[*?[{]/);
  const fixed = wild < 0 ? input : input.slice(0, wild);
  const root = resolve(folder, wild < 0 ? input : fixed.endsWith('/') ? fixed : dirname(fixed));
  if (!isWithin(root, projectFolder)) throw new InvalidRequest(`The input ${input} leads out of the project.`);
  let candidates: string[];
  try {
    candidates = (await lstat(root)).isDirectory() ? await walk(root) : [root];
  } catch {
    candidates = [];
  }
  const matches = matcher(posix.normalize(posix.join(toPosix(folder), input)));
  const matched = wild < 0 ? candidates : candidates.filter((path) => matches(toPosix(path)));
  if (matched.length === 0) throw new InvalidRequest(`The input ${input} matches no file.`);
  return matched;
}

/** All regular files below a folder, absolute. */
export async function walk(folder: string): Promise<string[]> {
  const files: string[] = [];
  const queue = [folder];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (entry.name.startsWith('.')) continue;
      if (entry.isSymbolicLink()) throw new InvalidRequest(`${path} is a link; put the file itself there.`);
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(basename(path))) queue.push(path);
      if (entry.isFile()) files.push(path);
      if (files.length > FILES_MAX * 4) throw new InvalidRequest(`${folder} has more than ${FILES_MAX * 4} files.`);
    }
  }
  return files.toSorted();
}

/** Digest and shape of a CSV file, read once: its records (quoted line ends do not count) and its heading's cells. */
export async function measureCsv(path: string): Promise<{ sha256: string; records: number; columns: string[] }> {
  const hash = createHash('sha256');
  let records = 0;
  let quoted = false;
  let pending = false;
  let heading = '';
  for await (const chunk of createReadStream(path)) {
    const bytes = chunk as Buffer;
    hash.update(bytes);
    for (const byte of bytes) {
      if (byte === 0x22) quoted = !quoted;
      if (byte === 0x0a && !quoted) {
        if (pending) records += 1;
        pending = false;
      } else if (byte !== 0x0d) pending = true;
    }
    if (heading.length < 1 << 20 && !heading.includes('\n')) heading += bytes.toString('utf8');
  }
  if (pending) records += 1;
  const first = heading.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0] ?? '';
  return { sha256: hash.digest('hex'), records, columns: first === '' ? [] : first.split(',') };
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

export function toPosix(path: string): string {
  return sep === '/' ? path : path.split(sep).join('/');
}

import { readdir } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/** A project is code; beyond this limit something else lies in it by mistake. */
const MAX_FILES = 10_000;

/** Folders that tools fill and that no result depends on. Names that begin with a dot are left out as well. */
const CACHES = new Set(['__pycache__', 'node_modules', 'venv']);

export class TreeTooLarge extends Error {}

export function posixPath(path: string): string {
  return sep === '/' ? path : path.split(sep).join('/');
}

/** Whether `path` is `folder` or lies in it. */
export function isInside(folder: string, path: string): boolean {
  const between = relative(folder, path);
  return between === '' || (!isAbsolute(between) && between !== '..' && !between.startsWith(`..${sep}`));
}

/** All files under a folder, absolute and sorted by their path; no dotfiles, caches or compiled Python. */
export async function filesUnder(folder: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (at: string): Promise<void> => {
    const entries = await readdir(at, { withFileTypes: true });
    for (const entry of entries) {
      if (entry.name.startsWith('.') || CACHES.has(entry.name) || entry.name.endsWith('.pyc')) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
      if (found.length > MAX_FILES) throw new TreeTooLarge(`more than ${MAX_FILES} files under ${folder}`);
    }
  };
  await walk(folder);
  return found;
}

/**
 * Whether `items` match `pattern`, in which `star(p)` is any run of items. The classic two-pointer walk: it remembers
 * only the last star, so its worst case is a product of lengths, where a regular expression's could be exponential.
 */
function matchRun<P, T>(
  pattern: readonly P[],
  items: readonly T[],
  star: (p: P) => boolean,
  same: (p: P, item: T) => boolean,
): boolean {
  let p = 0;
  let lastStar = -1;
  let resume = 0;
  for (let i = 0; i < items.length;) {
    const part = pattern[p];
    if (part !== undefined && star(part)) {
      lastStar = p++;
      resume = i;
    } else if (part !== undefined && same(part, items[i] as T)) {
      p++;
      i++;
    } else if (lastStar >= 0) {
      p = lastStar + 1;
      i = ++resume;
    } else return false;
  }
  return pattern.slice(p).every(star);
}

/**
 * Whether a path with forward slashes matches a glob: `*` and `?` stay within one name, `**` is any number of folders,
 * and at the end everything below.
 */
export function matchesGlob(glob: string, path: string): boolean {
  const name = (pattern: string, text: string): boolean =>
    matchRun(
      [...pattern],
      [...text],
      (p) => p === '*',
      (p, character) => p === '?' || p === character,
    );
  // `a/**` is what lies in a, not a itself.
  const parts = glob.endsWith('/**') ? [...glob.split('/'), '*'] : glob.split('/');
  return matchRun(parts, path.split('/'), (p) => p === '**', name);
}

/** The part of a glob before its first wildcard: where the search begins. */
export function globBase(glob: string): string {
  const parts = glob.split('/');
  const wild = parts.findIndex((part) => /[*?]/.test(part));
  return wild === -1 ? glob : parts.slice(0, wild).join('/');
}

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
 * A glob as a regular expression over a path with forward slashes. `*` and `?` stay within one name, `**` crosses
 * folders (`a/**` is everything under a).
 */
export function globExpression(glob: string): RegExp {
  const parts = glob.split('/').map((part) => {
    if (part === '**') return '**';
    const escaped = part.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
    return escaped.replaceAll(/\*+/g, '[^/]*').replaceAll('?', '[^/]');
  });
  let source = '';
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    if (part === '**') source += last ? '.+' : '(?:[^/]+/)*';
    else source += last ? part : `${part}/`;
  }
  return new RegExp(`^${source}$`);
}

/** The part of a glob before its first wildcard: where the search begins. */
export function globBase(glob: string): string {
  const parts = glob.split('/');
  const wild = parts.findIndex((part) => /[*?]/.test(part));
  return wild === -1 ? glob : parts.slice(0, wild).join('/');
}

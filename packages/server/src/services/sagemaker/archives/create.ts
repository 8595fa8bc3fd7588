import { createWriteStream } from 'node:fs';
import { mkdir, opendir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** Far more than a model or a report has; a job that writes more must pack its files itself. */
const FILES_MAX = 1_000_000;

export interface TreeFile {
  /** With forward slashes, relative to the tree's root. */
  readonly path: string;
  readonly folder: boolean;
  readonly bytes: number;
}

/**
 * The regular files and folders of a tree, sorted by path. A link counts as what it points to while that lies inside the
 * tree (libraries' caches link their files), and is left out otherwise, so that a job cannot publish the host's files.
 */
export async function listTree(root: string, options: { readonly links: 'inside' | 'none' }): Promise<TreeFile[]> {
  const files: TreeFile[] = [];
  const realRoot = await realpath(root);
  const visit = async (folder: string, depth: number): Promise<void> => {
    if (depth > 100) throw new RangeError(`${root} is nested more than 100 folders deep`);
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      const link = entry.isSymbolicLink();
      if (link && (options.links === 'none' || !(await pointsInside(realRoot, path)))) continue;
      const info = await stat(path);
      // A linked folder could lead back to itself.
      if (info.isDirectory() && link) continue;
      if (!info.isDirectory() && !info.isFile()) continue;
      if (files.length >= FILES_MAX) throw new RangeError(`${root} has more than ${FILES_MAX} files`);
      const name = relative(root, path).split(sep).join('/');
      files.push({ path: name, folder: info.isDirectory(), bytes: info.isDirectory() ? 0 : info.size });
      if (info.isDirectory()) await visit(path, depth + 1);
    }
  };
  await visit(root, 0);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function pointsInside(realRoot: string, path: string): Promise<boolean> {
  try {
    return (await realpath(path)).startsWith(realRoot + sep);
  } catch {
    return false;
  }
}

/**
 * Packs a folder's contents as SageMaker does (`tar -C folder .`, without the dot). The same contents give the same
 * bytes: sorted, no times, owners or groups, so an upload that is repeated after a crash changes nothing.
 *
 * @returns the archive's size in bytes
 */
export async function packFolder(folder: string, archive: string, signal: AbortSignal): Promise<number> {
  const files = await listTree(folder, { links: 'inside' });
  await mkdir(dirname(archive), { recursive: true });
  const partial = `${archive}.partial`;
  await rm(partial, { force: true });
  // Loaded here, because a server that packs nothing starts sooner without it.
  const { Pack } = await import('tar');
  const pack = new Pack({
    cwd: folder,
    portable: true,
    mtime: new Date(0),
    follow: true,
    noDirRecurse: true,
    preservePaths: true,
  });
  for (const file of files) pack.add(file.path);
  pack.end();
  // Not tar's own gzip: zlib's threads keep the event loop free while a large model is packed.
  await pipeline(Readable.from(pack), createGzip(), createWriteStream(partial), { signal });
  await rename(partial, archive);
  return (await stat(archive)).size;
}

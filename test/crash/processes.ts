import { readdirSync, readlinkSync } from 'node:fs';

/** Ids of processes that live in a folder: their working directory or an open file is in it. Linux only. */
export function processesIn(folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) => pid !== process.pid && linksOf(pid).some((link) => link === folder || link.startsWith(`${folder}/`)),
    );
}

function linksOf(pid: number): readonly string[] {
  const links = [link(`/proc/${pid}/cwd`)];
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) links.push(link(`/proc/${pid}/fd/${fd}`));
  } catch {
    // It ended while we looked.
  }
  return links;
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';

/**
 * Names this process for leases, and tells whether a process of this machine has ended: `<host>/<pid>/<start time>`.
 * The start time tells a process from a later one with the same pid; where the platform does not show it, only a pid
 * that nobody has counts as ended.
 */
export function thisProcess(): { readonly process: string; readonly isGone: (name: string) => boolean } {
  const host = hostname();
  return {
    process: `${host}/${process.pid}/${startTime(process.pid) ?? 'unknown'}`,
    isGone(name) {
      const [itsHost, pid = '', started] = name.split('/');
      if (itsHost !== host || !/^\d+$/.test(pid)) return false;
      if (!exists(Number(pid))) return true;
      const now = startTime(Number(pid));
      return now !== undefined && started !== 'unknown' && now !== started;
    },
  };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat: clock ticks since boot. The command's name before it may hold spaces and brackets. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

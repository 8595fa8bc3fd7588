import { readdir, readFile } from 'node:fs/promises';
import type { ProcessNote } from './job-files.ts';

const SESSION_FIELD = 3;
const START_FIELD = 19;

/** Fields of /proc/<pid>/stat from the state on; the name before them may hold spaces and brackets. */
async function statFields(pid: number | string): Promise<string[] | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/**
 * Kills what a job left behind when its supervisor was killed: every process of the session that the job began. The
 * kernel has killed the job's first process with its supervisor; its children may live.
 */
export async function killStragglers(note: ProcessNote): Promise<void> {
  const first = await statFields(note.pid);
  const isReused = first !== undefined && Number(first[START_FIELD]) !== note.startTicks;
  if (isReused) return; // A process group cannot outlive its number's reuse, so no straggler has it either.
  const names = await readdir('/proc').catch(() => []);
  for (const name of names.filter((entry) => /^\d+$/.test(entry))) {
    const fields = await statFields(name);
    if (fields !== undefined && Number(fields[SESSION_FIELD]) === note.pid) kill(Number(name));
  }
}

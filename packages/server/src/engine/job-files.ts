import { randomBytes } from 'node:crypto';
import { access, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobExit, JobFolder } from './engine.ts';

const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** What the supervisor needs to know, written before it is forked. `slipway_runtime/supervisor.py` reads it. */
export interface SupervisorSpec {
  readonly id: string;
  readonly mode: 'train' | 'process';
  readonly framework: string;
  readonly version: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  /** Between SIGTERM and SIGKILL when the deadline has passed. */
  readonly deadlineGraceMs: number;
  readonly root: string;
  readonly ml: string;
  readonly log: string;
  readonly socket: string;
  readonly isolation: 'auto' | 'namespace' | 'folder';
  readonly logCapBytes: number;
  /** 0 stands for 80 % of the machine's memory. */
  readonly memoryCapBytes: number;
  readonly environmentFolder: string;
  readonly layersFolder: string;
}

/** Which process a job is; the start tells it from a later one with the same pid. */
export interface ProcessNote {
  readonly pid: number;
  readonly startTicks: number;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined; // Absent, or not whole: what matters is written by rename.
  }
}

/** The files of jobs in a data folder: `jobs/<id>/` while a job is needed, `logs/jobs/<id>.*` for longer. */
export class JobFiles {
  readonly #jobs: string;
  readonly #logs: string;

  constructor(dataFolder: string) {
    this.#jobs = join(dataFolder, 'jobs');
    this.#logs = join(dataFolder, 'logs', 'jobs');
  }

  /** @throws RangeError when the id could name another file */
  folder(id: string): JobFolder {
    if (!ID_PATTERN.test(id)) throw new RangeError(`${JSON.stringify(id.slice(0, 200))} cannot name a job's folder`);
    const root = join(this.#jobs, id);
    return { root, ml: join(root, 'ml'), log: join(this.#logs, `${id}.log`) };
  }

  async make(id: string): Promise<JobFolder> {
    const folder = this.folder(id);
    await mkdir(folder.ml, { recursive: true, mode: 0o700 });
    await mkdir(dirname(folder.log), { recursive: true, mode: 0o700 });
    return folder;
  }

  async list(): Promise<string[]> {
    const entries = await readdir(this.#jobs, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  }

  hasFolder(id: string): Promise<boolean> {
    return exists(this.folder(id).root);
  }

  /** Whether a supervisor got as far as beginning the work. */
  wasStarted(id: string): Promise<boolean> {
    return exists(join(this.folder(id).root, 'started'));
  }

  async readExit(id: string): Promise<JobExit | undefined> {
    const { root } = this.folder(id);
    return (await readJson<JobExit>(join(root, 'exit.json'))) ?? (await readJson<JobExit>(this.#keptExit(id)));
  }

  readProcess(id: string): Promise<ProcessNote | undefined> {
    return readJson<ProcessNote>(join(this.folder(id).root, 'process.json'));
  }

  readSpec(id: string): Promise<SupervisorSpec | undefined> {
    return readJson<SupervisorSpec>(join(this.folder(id).root, 'spec.json'));
  }

  async writeSpec(spec: SupervisorSpec): Promise<void> {
    await this.#write(join(spec.root, 'spec.json'), spec);
  }

  /** Writes the exit of a job whose supervisor is gone, unless there is one. @returns the one that stands */
  async writeExit(id: string, exit: JobExit): Promise<JobExit> {
    const { root } = this.folder(id);
    const path = join(root, 'exit.json');
    const temporary = `${path}.${randomBytes(4).toString('hex')}`;
    try {
      await this.#write(temporary, exit);
      await link(temporary, path); // Fails when there is one, unlike a rename.
    } catch {
      // Either it stands already, or the folder is gone; then nothing can be kept.
    } finally {
      await rm(temporary, { force: true });
    }
    return (await this.readExit(id)) ?? exit;
  }

  /** Deletes the job's folder; its log and its exit stay. */
  async clear(id: string): Promise<void> {
    const { root } = this.folder(id);
    const exit = await this.readExit(id);
    if (exit !== undefined && (await exists(root))) {
      await mkdir(this.#logs, { recursive: true, mode: 0o700 });
      await this.#write(this.#keptExit(id), exit);
    }
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }

  #keptExit(id: string): string {
    return join(this.#logs, `${id}.exit.json`);
  }

  async #write(path: string, value: unknown): Promise<void> {
    const temporary = `${path}.${randomBytes(4).toString('hex')}.new`;
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(value));
      await file.sync();
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }
}

import { readFileSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@slipway/kit/log';
import { linkSignals } from '@slipway/kit/signals';
import { deadline } from '@slipway/kit/stopwatch';
import { PeerGone } from './connection.ts';
import type { Engine, JobSpec, Worker, WorkerSpec } from './engine.ts';
import type { HostEnvironment } from './find-python.ts';
import { ImageTable, readPins, type ImageExtensions } from './images.ts';
import { JobFiles, type SupervisorSpec } from './job-files.ts';
import { Jobs } from './jobs.ts';
import { EngineListener } from './listener.ts';
import { ensurePythonEnvironment, runtimesFolder, type PythonEnvironment } from './python-env.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { LocalWorker, WorkerGone } from './worker.ts';
import { Zygote } from './zygote.ts';

export interface LocalEngineOptions {
  /** Absolute path; one engine at a time uses it (the server's lock sees to that). */
  readonly dataFolder: string;
  /** Image name patterns beside the built-in table. */
  readonly images?: ImageExtensions;
  /** `auto` takes a private /opt/ml where namespaces allow it; `namespace` is the same, for tests that name it. */
  readonly isolation?: 'auto' | 'namespace' | 'folder';
  /** Where the Python environment is made on first need, for example `~/.cache/slipway`. */
  readonly pythonCacheFolder: string;
  /** The Python to make it from; by default the first usable one on PATH. */
  readonly python?: string;
  /** The user's variables, for finding Python and reaching package indexes. */
  readonly environment: HostEnvironment;
  readonly log: Logger;
  /** Told what is being done while the Python environment is made. */
  readonly onProgress?: (text: string) => void;
  readonly logCapBytes?: number;
  readonly memoryCapBytes?: number;
  readonly deadlineGraceMs?: number;
  /** For the sockets; the system's by default. */
  readonly temporaryFolder?: string;
}

/** The engine for local processes, with what only its owner needs. */
export interface LocalEngine extends Engine {
  /** Ids that have a folder in the data folder, for the sweep of what no machine knows. */
  listJobFolders(): Promise<readonly string[]>;
  /** Makes the Python environment and the zygote now, so that the first job does not wait for them. */
  warm(): Promise<PythonEnvironment>;
}

const DEFAULT_LOG_CAP_BYTES = 64 * 1024 * 1024;
const DEFAULT_DEADLINE_GRACE_MS = 10_000;

class ProcessEngine implements LocalEngine {
  readonly #options: LocalEngineOptions;
  readonly #listener: EngineListener;
  readonly #run: RunFolder;
  readonly #images: ImageTable;
  readonly #files: JobFiles;
  readonly #jobs: Jobs;
  readonly #runtimes = runtimesFolder();
  readonly #workers = new Set<LocalWorker>();
  #python: Promise<PythonEnvironment> | undefined;
  #zygote: Promise<Zygote> | undefined;
  #isClosed = false;

  constructor(options: LocalEngineOptions, run: RunFolder, listener: EngineListener) {
    this.#options = options;
    this.#run = run;
    this.#listener = listener;
    const pins = readPins(readFileSync(join(this.#runtimes, 'requirements.txt'), 'utf8'));
    this.#images = new ImageTable(options.images ?? {}, pins);
    this.#files = new JobFiles(options.dataFolder);
    this.#jobs = new Jobs({
      files: this.#files,
      jobSocket: run.jobSocket,
      fork: (root) => this.#withZygote((zygote) => zygote.startJob(root)),
    });
  }

  image(uri: string) {
    return this.#images.find(uri);
  }

  jobFolder(id: string) {
    return this.#jobs.folder(id);
  }

  async startJob(spec: JobSpec): Promise<void> {
    if (spec.mode === 'process' && (spec.command ?? []).length === 0) throw new Error(`job ${spec.id} has no command`);
    if ((await this.#files.readExit(spec.id)) !== undefined) return;
    const python = await this.#environment();
    await this.#jobs.start(this.#supervisorSpec(spec, python));
  }

  #supervisorSpec(spec: JobSpec, python: PythonEnvironment): SupervisorSpec {
    const { id, mode, image, command = [], environment, deadlineMs } = spec;
    return {
      id,
      mode,
      framework: image.framework,
      version: image.version,
      command,
      environment,
      deadlineMs,
      deadlineGraceMs: this.#options.deadlineGraceMs ?? DEFAULT_DEADLINE_GRACE_MS,
      ...this.#files.folder(id),
      socket: this.#run.jobSocket(id),
      isolation: this.#options.isolation ?? 'auto',
      logCapBytes: this.#options.logCapBytes ?? DEFAULT_LOG_CAP_BYTES,
      memoryCapBytes: this.#options.memoryCapBytes ?? 0,
      environmentFolder: python.folder,
      layersFolder: join(this.#options.pythonCacheFolder, 'layers'),
    };
  }

  waitJob(id: string, signal: AbortSignal) {
    return this.#jobs.wait(id, signal);
  }

  stopJob(id: string, graceMs: number) {
    return this.#jobs.stop(id, graceMs);
  }

  clearJob(id: string) {
    return this.#jobs.clear(id);
  }

  liveJobs() {
    return this.#jobs.live;
  }

  listJobFolders() {
    return this.#files.list();
  }

  async warm(): Promise<PythonEnvironment> {
    const python = await this.#environment();
    await this.#withZygote(async () => undefined);
    return python;
  }

  async startWorker(spec: WorkerSpec, signal: AbortSignal): Promise<Worker> {
    const python = await this.#environment();
    const root = join(this.#options.dataFolder, 'workers', this.#files.folder(spec.id).root.split('/').at(-1) ?? '');
    const header = {
      id: spec.id,
      root,
      framework: spec.image.framework,
      version: spec.image.version,
      environment: spec.environment,
      log: spec.log,
      isolation: this.#options.isolation ?? 'auto',
      environmentFolder: python.folder,
      layersFolder: join(this.#options.pythonCacheFolder, 'layers'),
      ...(spec.modelFolder === undefined ? {} : { modelFolder: spec.modelFolder }),
    };
    const limit = deadline(spec.startupMs);
    try {
      const worker = await this.#forkWorker(spec, header, signal, limit.signal);
      worker.onExit(() => void rm(root, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined));
      try {
        await worker.untilHealthy(limit.leftMs(), signal);
      } catch (error) {
        await worker.close();
        throw error;
      }
      return worker;
    } finally {
      limit.cancel();
    }
  }

  async #forkWorker(
    spec: WorkerSpec,
    header: Record<string, unknown>,
    ...signals: readonly AbortSignal[]
  ): Promise<LocalWorker> {
    const given = new AbortController();
    const either = linkSignals(...signals, given.signal);
    const connecting = this.#listener.expect('worker', spec.id, either.signal);
    connecting.catch(() => undefined); // Awaited below.
    let worker: LocalWorker | undefined;
    let pid = 0;
    let hasEnded = false;
    try {
      pid = await this.#withZygote((zygote) =>
        zygote.startWorker(header, (code) => {
          hasEnded = true;
          given.abort(new WorkerGone(`worker ${spec.id} ended with ${code} while it started; its log is ${spec.log}`));
          worker?.reaped(code);
          if (worker !== undefined) this.#workers.delete(worker);
        }),
      );
      worker = new LocalWorker(spec.id, pid, await connecting);
      if (hasEnded) throw new WorkerGone(`worker ${spec.id} ended while it started; its log is ${spec.log}`);
    } catch (error) {
      given.abort(error);
      if (pid > 0 && !hasEnded) process.kill(pid, 'SIGKILL');
      throw error;
    } finally {
      either.unlink();
    }
    this.#workers.add(worker);
    return worker;
  }

  #environment(): Promise<PythonEnvironment> {
    const { onProgress, pythonCacheFolder, environment, python } = this.#options;
    this.#python ??= ensurePythonEnvironment({
      cacheFolder: pythonCacheFolder,
      runtimesFolder: this.#runtimes,
      environment,
      ...(python === undefined ? {} : { python }),
      onProgress: ({ message }) => onProgress?.(`Python environment: ${message}`),
    }).catch((error: unknown) => {
      this.#python = undefined; // The network may be back, or the disk free, for the next job.
      throw error;
    });
    return this.#python;
  }

  /** Runs on the zygote, on a new one when the last has died. */
  async #withZygote<T>(work: (zygote: Zygote) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Error('the engine is closed');
    const zygote = await (this.#zygote ??= this.#startZygote());
    try {
      return await work(zygote);
    } catch (error) {
      if (!(error instanceof PeerGone) || this.#isClosed) throw error;
      return work(await (this.#zygote ??= this.#startZygote()));
    }
  }

  async #startZygote(): Promise<Zygote> {
    try {
      return await Zygote.start({
        python: await this.#environment(),
        runtimesFolder: this.#runtimes,
        socket: this.#run.engineSocket,
        log: join(this.#options.dataFolder, 'logs', 'zygote.log'),
        environment: this.#options.environment,
        connected: (pid, signal) => this.#listener.expect('zygote', pid, signal),
        onGone: (why) => {
          this.#zygote = undefined;
          if (!this.#isClosed) this.#options.log.warn('the zygote has gone; the next job starts another', { why });
        },
      });
    } catch (error) {
      this.#zygote = undefined;
      throw error;
    }
  }

  /** Ends workers and the zygote. Jobs live on. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#jobs.close();
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    const zygote = await this.#zygote?.catch(() => undefined);
    await zygote?.close();
    await this.#listener.close();
    await rmdir(this.#run.path).catch(() => undefined); // Stays while live jobs have their sockets there.
  }
}

/**
 * The engine that runs jobs and workers as processes of this machine. Starts nothing until something is to run.
 */
export async function createLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  const run = await openRunFolder(options.dataFolder, options.temporaryFolder);
  // Workers die with their server, so whatever lies here was left by one that was killed.
  await rm(join(options.dataFolder, 'workers'), { recursive: true, force: true });
  return new ProcessEngine(options, run, await EngineListener.open(run.engineSocket));
}

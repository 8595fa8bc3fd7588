/**
 * The engine really runs things: job processes under a supervisor each, and inference workers. It knows processes and
 * files, not AWS. A `Runtime` implements it for local processes now, for containers later.
 */
export interface Engine {
  /** The runtime an image URI stands for. @throws UnknownImage which says how to extend the table */
  image(uri: string): RuntimeImage;
  /** Makes `<dataFolder>/jobs/<id>/` (0700) with an empty `ml/`, which becomes the job's /opt/ml. Idempotent. */
  jobFolder(id: string): Promise<JobFolder>;
  /** Starts the job's supervisor unless it was started before. Idempotent by `spec.id`. */
  startJob(spec: JobSpec): Promise<void>;
  /** Resolves when the job has ended; answers at once for one that ended before. */
  waitJob(id: string, signal: AbortSignal): Promise<JobExit>;
  /** SIGTERM, then SIGKILL after the grace. Safe to call in any state. */
  stopJob(id: string, graceMs: number): Promise<void>;
  /** Deletes the job's folder except its log. */
  clearJob(id: string): Promise<void>;
  /** Forks an inference worker and waits until it answers a ping. */
  startWorker(spec: WorkerSpec, signal: AbortSignal): Promise<Worker>;
  /** Ids of jobs whose processes live now (for Ctrl-C's message and for `exec`, which ends them). */
  liveJobs(): readonly string[];
  close(): Promise<void>;
}

/** A row of the image table. */
export interface RuntimeImage {
  readonly uri: string;
  /** Which container contract of `runtimes/python` runs it. */
  readonly framework: 'xgboost' | 'sklearn' | 'python';
  /** The image's own version, from its tag, for example `1.7-1`. */
  readonly version: string;
  /** For people: which installed library stands in for the tag, for example `xgboost 3.1.2 stands in for 1.7-1`. */
  readonly standsIn: string;
}

export interface JobFolder {
  /** `<dataFolder>/jobs/<id>` */
  readonly root: string;
  /** What the job sees as /opt/ml. */
  readonly ml: string;
  /** The log file (stdout and stderr), capped. Survives `clearJob`. */
  readonly log: string;
}

export interface JobSpec {
  /** File-safe and unique for ever, for example `training-<ulid>`. */
  readonly id: string;
  readonly image: RuntimeImage;
  /**
   * `train`: the image's training contract on the prepared /opt/ml (script mode or the built-in algorithm).
   * `process`: runs `command` (a processing container's entrypoint and arguments).
   */
  readonly mode: 'train' | 'process';
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Real time it may run, on the stopwatch. */
  readonly deadlineMs: number;
}

export interface JobExit {
  /** `lost`: the supervisor vanished without an exit file (a reboot, or its folder was deleted). */
  readonly reason: 'exited' | 'signaled' | 'deadline' | 'stopped' | 'out-of-memory' | 'lost' | 'refused';
  readonly exitCode?: number;
  readonly signal?: string;
  /** Real instants (ms since the epoch) of the process itself. */
  readonly startedAt?: number;
  readonly endedAt: number;
  /** First 1024 characters of /opt/ml/output/failure (train) or /opt/ml/output/message (process), if written. */
  readonly message?: string;
  /** Why it was refused or lost, for FailureReason. */
  readonly explanation?: string;
}

export interface WorkerSpec {
  readonly id: string;
  readonly image: RuntimeImage;
  /** Unpacked model for a single-model worker (its /opt/ml/model); absent for a multi-model one. */
  readonly modelFolder?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where its stdout and stderr go. */
  readonly log: string;
  readonly startupMs: number;
}

export interface WorkerRequest {
  /** The opaque name under which a multi-model worker loaded it. */
  readonly model?: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly accept: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface WorkerResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface Worker {
  readonly id: string;
  readonly pid: number;
  /** @returns 200, 409 already loaded, 500 cannot be loaded, 507 no memory; the message is the container's */
  load(model: string, folder: string, deadlineMs: number): Promise<{ status: number; message: string }>;
  unload(model: string): Promise<{ status: number; message: string }>;
  /** Rejects with `WorkerGone` when the process dies, `WorkerTimeout` past the deadline. */
  invoke(request: WorkerRequest, deadlineMs: number): Promise<WorkerResponse>;
  /** Calls back once when the process has died. */
  onExit(listener: (why: string) => void): void;
  close(): Promise<void>;
}

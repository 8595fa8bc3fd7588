import { homedir } from 'node:os';
import { systemClock } from '@slipway/kit/clock';
import { systemIds } from '@slipway/kit/ids';
import type { Logger } from '@slipway/kit/log';
import { createRunner, type RunnerPoint } from '@slipway/kit/machine/runner';
import { isDiskFull } from '@slipway/kit/sqlite';
import { deadline } from '@slipway/kit/stopwatch';
import { createAdmin, type Admin } from './admin.ts';
import { createCallAws } from './call-aws.ts';
import { openClock } from './clock-store.ts';
import { explain, openDataFolder, type DataFolder } from './data-folder.ts';
import type { Engine } from './engine/engine.ts';
import { listen } from './http.ts';
import { createLogFiles } from './log-files.ts';
import { checkHost } from './loopback.ts';
import { openRequestLog } from './request-log.ts';
import { requestPoints } from './request-points.ts';
import { Routes } from './serving/routes.ts';
import { SERVICES } from './services/index.ts';
import type { ServerParts } from './services/parts.ts';
import { createWire } from './wire/pipeline.ts';
import type { Service } from './wire/service.ts';
import { TIMINGS, type TimingName } from './timing.ts';

export interface ServerOptions {
  /** Absolute path; created if need be. One server at a time uses it. */
  readonly dataFolder: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** A loopback name or address; 127.0.0.1 when absent. */
  readonly host?: string;
  readonly log: Logger;
  /** How quickly states pass in which nothing really happens, on the clock; `instant` when absent. */
  readonly timing?: TimingName;
  /** How jobs get their /opt/ml; `auto` takes a private mount where the host allows it. */
  readonly isolation?: 'auto' | 'namespace' | 'folder';
  /** Image URI patterns (`*` stands for anything) beside the built-in table, to the container contract that runs them. */
  readonly images?: Readonly<
    Record<string, { readonly framework: 'xgboost' | 'sklearn' | 'python'; readonly version: string }>
  >;
  /** The user's cache folder; jobs' Python environment is made in its `python/` on first need, and reused. */
  readonly pythonCacheFolder: string;
  /** The Python to make it from; by default the first usable one on PATH. */
  readonly python?: string;
  /** The user's variables (PATH, HOME, proxies), for finding and installing Python. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How a second server on the folder names this one, for example `npx slipway`. */
  readonly command?: string;
  readonly onProgress?: (text: string) => void;
  /** What runs processes instead of the local engine: a test's, or one that has none. */
  readonly engine?: Engine;
  /** Told of each durable point, among them each changing request that is not acknowledged yet: for tracing. */
  readonly onPoint?: (point: RunnerPoint) => void;
}

export interface RunningServer {
  /** For example `http://127.0.0.1:4570`. */
  readonly url: string;
  readonly dataFolder: string;
  /** Moves the clock and runs each due step in order, waiting for work in flight. @returns the clock's time after it */
  advance(ms: number): Promise<number>;
  /** Ids of jobs whose processes live now; they outlive the server. */
  liveJobs(): readonly string[];
  /** Ends these jobs' processes, as `exec` does with those of its command. */
  endJobs(ids: readonly string[]): Promise<void>;
  /** Jobs go on; everything else ends. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 2_000;
const END_JOB_GRACE_MS = 5_000;
/** Closing goes on after this; what still hangs then is in the log, and loses nothing that was acknowledged. */
const STEP_LIMIT_MS = 15_000;

/**
 * Serves SageMaker and its neighbours from a data folder.
 *
 * @throws UserError when the folder or the address cannot be used; nothing is left running then
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const host = options.host ?? '127.0.0.1';
  checkHost(host);
  const folder = await openDataFolder(options.dataFolder, options.command ?? 'slipway');
  // What must be undone, newest last, when the start fails midway and when the server closes.
  const undo: (() => Promise<void>)[] = [() => folder.close()];
  try {
    return await start(options, host, folder, undo);
  } catch (error) {
    await unwind(undo, options.log);
    throw isDiskFull(error) ? explain(error, folder.path) : error;
  }
}

async function start(
  options: ServerOptions,
  host: string,
  folder: DataFolder,
  undo: (() => Promise<void>)[],
): Promise<RunningServer> {
  const { log } = options;
  let url = '';
  const closing = new AbortController();
  const engine = options.engine ?? (await createEngine(options, folder));
  const parts = createParts(options, folder, engine, () => url, closing.signal);
  const { clock, machines, services } = parts;
  undo.push(() => engine.close());
  for (const service of services) if (service.close !== undefined) undo.push(() => service.close!());
  undo.push(() => machines.stop());

  const requestLog = openRequestLog({ path: `${folder.path}/requests.jsonl`, log });
  undo.push(() => requestLog.flush());
  const liveJobs = (): readonly string[] => engine.liveJobs();
  const startedAt = new Date(systemClock().now()).toISOString();
  const identity = { pid: process.pid, dataFolder: folder.path, startedAt };
  const admin: Admin = createAdmin({ clock, runner: machines, requestLog, liveJobs, identity });
  const wire = createWire({
    services,
    clock,
    ids: parts.ids,
    log,
    baseUrl: () => url,
    onRequest: (record) => requestLog.record(record),
    ...(options.onPoint === undefined ? {} : { onHandled: requestPoints(options.onPoint) }),
  });
  const listener = await listen({
    host,
    port: options.port,
    clock,
    log,
    admin: admin.respond,
    aws: wire.handleRequest,
  });
  undo.push(() => listener.close(CLOSE_GRACE_MS));
  url = listener.url;
  machines.start();
  await folder.writeServerFile({ url, pid: process.pid, startedAt });
  const started = services.map(async (service) => {
    try {
      await service.start?.(closing.signal);
    } catch (error) {
      log.error('a service did not start well', { service: service.model, error });
    }
  });
  undo.push(async () => void (await Promise.all(started)));
  let closed: Promise<void> | undefined;
  return {
    url,
    dataFolder: folder.path,
    advance: (ms) => admin.advance(ms, closing.signal),
    liveJobs,
    async endJobs(ids) {
      await Promise.all(ids.map((id) => engine.stopJob(id, END_JOB_GRACE_MS)));
    },
    close() {
      closing.abort(new Error('the server is closing'));
      return (closed ??= unwind(undo, log));
    },
  };
}

async function createEngine(options: ServerOptions, folder: DataFolder): Promise<Engine> {
  const { createLocalEngine } = await import('./engine/local-engine.ts');
  return await createLocalEngine({
    dataFolder: folder.path,
    images: options.images ?? {},
    isolation: options.isolation ?? 'auto',
    pythonCacheFolder: options.pythonCacheFolder,
    environment: options.environment ?? { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: homedir() },
    log: options.log,
    onProgress: options.onProgress ?? (() => undefined),
    ...(options.python === undefined ? {} : { python: options.python }),
  });
}

interface Made extends ServerParts {
  readonly clock: ReturnType<typeof openClock>;
  readonly machines: ReturnType<typeof createRunner>;
  readonly engine: Engine;
  readonly services: readonly Service[];
}

function createParts(
  options: ServerOptions,
  folder: DataFolder,
  engine: Engine,
  baseUrl: () => string,
  closing: AbortSignal,
): Made {
  const { log } = options;
  const { db, path: dataFolder } = folder;
  const clock = openClock(db);
  const ids = systemIds(clock);
  const services: Service[] = [];
  const parts: Omit<Made, 'services'> = {
    db,
    clock,
    ids,
    machines: createRunner({
      db,
      clock,
      onError: (error, what) => log.error(what, { error }),
      ...(options.onPoint === undefined ? {} : { onPoint: options.onPoint }),
    }),
    engine,
    aws: createCallAws({ services: () => services, clock, ids, baseUrl, closing }),
    log,
    timing: TIMINGS[options.timing ?? 'instant'],
    routes: new Routes(),
    logFiles: createLogFiles(db, clock),
    dataFolder,
    baseUrl,
  };
  services.push(...SERVICES.map((create) => create(parts)));
  return { ...parts, services };
}

/** Undoes in the opposite order, each step whatever became of the others. */
async function unwind(undo: (() => Promise<void>)[], log: Logger): Promise<void> {
  for (const step of undo.reverse()) {
    try {
      await within(STEP_LIMIT_MS, step());
    } catch (error) {
      log.error('the server did not close cleanly', { error });
    }
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const limit = deadline(ms);
  const late = new Promise<never>((_, reject) => {
    limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error), { once: true });
  });
  try {
    await Promise.race([work, late]);
  } finally {
    limit.cancel();
  }
}

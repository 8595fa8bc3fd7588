import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@slipway/kit/log';
import type { JobExit, JobSpec } from '../../packages/server/src/engine/engine.ts';
import {
  createLocalEngine,
  type LocalEngine,
  type LocalEngineOptions,
} from '../../packages/server/src/engine/local-engine.ts';

export const XGBOOST = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1';
export const PYTHON_CACHE = join(homedir(), '.cache', 'slipway');

export const silentLog: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};

/** An engine on a data folder of its own, with a hand for each thing that its tests do. */
export interface Bench {
  readonly data: string;
  readonly engine: LocalEngine;
  /** Puts the script at the job's /opt/ml/code/main.py and starts `python3` on it. */
  start(id: string, script: string, more?: Partial<JobSpec>): Promise<void>;
  wait(id: string): Promise<JobExit>;
  run(id: string, script: string, more?: Partial<JobSpec>): Promise<JobExit>;
  log(id: string): Promise<string>;
  close(): Promise<void>;
}

export async function makeData(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'slipway-engine-'));
}

export async function openBench(options: Partial<LocalEngineOptions> = {}): Promise<Bench> {
  const data = options.dataFolder ?? (await makeData());
  const engine = await createLocalEngine({
    dataFolder: data,
    pythonCacheFolder: PYTHON_CACHE,
    environment: process.env,
    log: silentLog,
    ...options,
  });
  const wait = (id: string): Promise<JobExit> => engine.waitJob(id, AbortSignal.timeout(60_000));
  const start = async (id: string, script: string, more: Partial<JobSpec> = {}): Promise<void> => {
    const { ml } = await engine.jobFolder(id);
    await mkdir(join(ml, 'code'), { recursive: true });
    await writeFile(join(ml, 'code', 'main.py'), script);
    await engine.startJob({
      id,
      image: engine.image(XGBOOST),
      mode: 'process',
      command: ['python3', '/opt/ml/code/main.py'],
      environment: {},
      deadlineMs: 60_000,
      ...more,
    });
  };
  return {
    data,
    engine,
    start,
    wait,
    run: async (id, script, more) => {
      await start(id, script, more);
      return wait(id);
    },
    log: async (id) => readFile((await engine.jobFolder(id)).log, 'utf8'),
    close: async () => {
      await engine.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Resolves when the check holds; looks again at short intervals of real time. */
export async function until(check: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const start = performance.now();
  while (!(await check())) {
    if (performance.now() - start > withinMs) throw new Error(`it did not become so within ${withinMs} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a process lives; a zombie is dead. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch {
    return false;
  }
}

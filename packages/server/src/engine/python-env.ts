import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { UserError } from '@slipway/kit/errors';
import { findPython, onPath, type HostEnvironment, type PythonProgram } from './find-python.ts';

/** Absolute path of what jobs and workers run: the folder `python` of the package `@slipway/runtimes`. */
export function runtimesFolder(): string {
  const manifest = createRequire(import.meta.url).resolve('@slipway/runtimes/package.json');
  return join(dirname(manifest), 'python');
}

/** A finished virtual environment with the packages that jobs and workers import. */
export interface PythonEnvironment {
  readonly folder: string;
  /** `<folder>/bin/python` */
  readonly python: string;
  /** `<folder>/bin` */
  readonly bin: string;
  /** For example `1f0c2a9b44d1-py3.11.7-linux-x64`; two environments with the same digest compute the same. */
  readonly digest: string;
  readonly pythonVersion: string;
  /** Lower-case package names to versions, for example `{ 'xgboost-cpu': '3.0.5' }`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
}

export interface EnvironmentProgress {
  readonly phase: 'waiting' | 'cleaning' | 'creating' | 'downloading' | 'installing' | 'compiling';
  readonly message: string;
  readonly doneBytes?: number;
  readonly totalBytes?: number;
  /** Share of the whole work that is done, 0 to 1. */
  readonly fraction?: number;
  /** Estimated real time left; absent until there is something to estimate from. */
  readonly leftMs?: number;
}

export interface EnvironmentOptions {
  /** The user's cache folder, for example `~/.cache/slipway`; environments go to `<cacheFolder>/python/`. */
  readonly cacheFolder: string;
  /** Absolute path of `@slipway/runtimes`' folder `python`. */
  readonly runtimesFolder: string;
  readonly environment: HostEnvironment;
  /** The Python that the user named; by default the first usable one on PATH. */
  readonly python?: string;
  /** Another list of packages than `<runtimesFolder>/requirements.txt`. */
  readonly requirementsFile?: string;
  readonly onProgress?: (progress: EnvironmentProgress) => void;
  readonly signal?: AbortSignal;
}

interface Marker {
  readonly basePython: string;
  readonly pythonVersion: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
}

interface Finished {
  readonly phase: 'done' | 'failed';
  readonly code?: string;
  readonly message?: string;
}

const MEGABYTE = 1_000_000;

interface Requirements {
  readonly file: string;
  readonly digest: string;
  readonly expectedBytes: number;
}

async function readRequirements(options: EnvironmentOptions): Promise<Requirements> {
  const file = options.requirementsFile ?? join(options.runtimesFolder, 'requirements.txt');
  const text = await readFile(file, 'utf8');
  const pins = text.replaceAll(/^\s*#.*$\n?/gm, '');
  const megabytes = Number(/^# download-megabytes: (\d+)$/m.exec(text)?.[1] ?? 1);
  const digest = createHash('sha256').update(pins).digest('hex').slice(0, 12);
  return { file, digest, expectedBytes: megabytes * MEGABYTE };
}

const platformName = `${process.platform}-${process.arch}`;

async function readEnvironment(folder: string, digest: string): Promise<PythonEnvironment | undefined> {
  try {
    const marker = JSON.parse(await readFile(join(folder, 'complete.json'), 'utf8')) as Marker;
    const bin = join(folder, 'bin');
    const python = join(bin, 'python');
    await realpath(python); // A Python that was removed or upgraded leaves a dangling link: make the environment anew.
    const { pythonVersion, versions, sizeBytes } = marker;
    return { folder, python, bin, digest, pythonVersion, versions, sizeBytes };
  } catch {
    return undefined;
  }
}

/**
 * The environment that was made before, without starting any process; undefined when there is none.
 */
export async function findPythonEnvironment(options: EnvironmentOptions): Promise<PythonEnvironment | undefined> {
  if (options.python !== undefined && options.python !== '') return undefined; // Its version must be asked first.
  const { digest } = await readRequirements(options);
  const root = join(options.cacheFolder, 'python');
  const names = await readdir(root).catch(() => []);
  const fitting = names.filter((name) => name.startsWith(`${digest}-py`) && name.endsWith(`-${platformName}`));
  for (const name of fitting.toSorted()) {
    const found = await readEnvironment(join(root, name), name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The Python environment of jobs, made on first need and reused after. Safe when two processes ask at once (the second
 * waits and says so) and when one is killed midway (the next cleans up).
 *
 * @throws UserError with the command to run: no usable Python, no venv, no network, a full disk
 */
export async function ensurePythonEnvironment(options: EnvironmentOptions): Promise<PythonEnvironment> {
  const made = await findPythonEnvironment(options);
  if (made !== undefined) return made;
  const uv = await onPath('uv', options.environment);
  const python = await findPython({
    environment: options.environment,
    ...(options.python === undefined ? {} : { named: options.python }),
    ...(uv === undefined ? {} : { uv }),
  });
  const requirements = await readRequirements(options);
  const name = `${requirements.digest}-py${python.version}-${platformName}`;
  const folder = join(options.cacheFolder, 'python', name);
  const dangling = await readEnvironment(folder, name);
  if (dangling !== undefined) return dangling;
  await build({ options, python, requirements, folder, uv });
  const environment = await readEnvironment(folder, name);
  if (environment === undefined) throw new Error(`the Python environment at ${folder} is not whole after its build`);
  return environment;
}

function isFinished(said: EnvironmentProgress | Finished): said is Finished {
  return said.phase === 'done' || said.phase === 'failed';
}

interface Build {
  readonly options: EnvironmentOptions;
  readonly python: PythonProgram;
  readonly requirements: Requirements;
  readonly folder: string;
  readonly uv: string | undefined;
}

async function build({ options, python, requirements, folder, uv }: Build): Promise<void> {
  const script = join(options.runtimesFolder, 'slipway_runtime', 'build_environment.py');
  const { file, expectedBytes } = requirements;
  const request = JSON.stringify({ folder, requirements: file, expectedBytes, uv: uv ?? null });
  const child = spawn(python.executable, ['-I', script, request], {
    env: { ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject).once('close', () => resolve());
  });
  ended.catch(() => undefined); // Awaited below, after the last line.
  let finished: Finished | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as EnvironmentProgress | Finished;
    if (isFinished(said)) finished = said;
    else options.onProgress?.(said);
  }
  await ended;
  if (finished?.phase === 'done') return;
  throw new UserError({
    what: 'The Python environment for jobs could not be made.',
    why: finished?.message ?? `Its builder ended without a word. ${errors.trim()}`.trim(),
  });
}

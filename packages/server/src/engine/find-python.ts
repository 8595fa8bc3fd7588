import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { UserError } from '@slipway/kit/errors';

/** The user's variables, handed in by the command line: PATH, HOME, proxies. */
export type HostEnvironment = Readonly<Record<string, string | undefined>>;

/** An interpreter that environments can be made from. */
export interface PythonProgram {
  /** What `sys.executable` says, after wrappers such as pyenv's. */
  readonly executable: string;
  /** `3.11.7` */
  readonly version: string;
}

const OLDEST_MINOR = 10;
const NEWEST_MINOR = 13;
const CANDIDATES = ['python3.11', 'python3.12', 'python3.13', 'python3.10', 'python3', 'python'];
const ANSWER_WITHIN_MS = 20_000;
const DESCRIBE = 'import sys; print("%d.%d.%d" % sys.version_info[:3]); print(sys.executable)';

/** @returns the program's standard output, or undefined when it cannot be started or fails */
function output(program: string, args: readonly string[], environment: HostEnvironment): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { env: { ...environment }, timeout: ANSWER_WITHIN_MS, maxBuffer: 65_536 };
    execFile(program, args, options, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}

/** Finds an executable file on the user's PATH. */
export async function onPath(name: string, environment: HostEnvironment): Promise<string | undefined> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter).filter((entry) => isAbsolute(entry))) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

async function describe(program: string, environment: HostEnvironment): Promise<PythonProgram | undefined> {
  const lines = (await output(program, ['-I', '-c', DESCRIBE], environment))?.trim().split('\n');
  const [version, executable] = lines ?? [];
  return version !== undefined && executable !== undefined ? { version, executable } : undefined;
}

function minorOf(python: PythonProgram): number {
  const [major, minor] = python.version.split('.').map(Number);
  return major === 3 ? (minor ?? 0) : -1;
}

function isUsable(python: PythonProgram): boolean {
  return minorOf(python) >= OLDEST_MINOR && minorOf(python) <= NEWEST_MINOR;
}

const INSTALL_PYTHON =
  'Install Python 3.11 (Debian and Ubuntu: `sudo apt-get install python3 python3-venv`; macOS: `brew install ' +
  'python@3.11`) or uv (`curl -LsSf https://astral.sh/uv/install.sh | sh`), or name one with PYTHON=/path/to/python3.';

async function namedPython(named: string, environment: HostEnvironment): Promise<PythonProgram> {
  const program = isAbsolute(named) ? named : ((await onPath(named, environment)) ?? named);
  const python = await describe(program, environment);
  if (python === undefined) {
    throw new UserError({ what: `PYTHON names ${named}, which does not run.`, next: INSTALL_PYTHON });
  }
  if (!isUsable(python)) throw unusable([python]);
  return python;
}

function unusable(found: readonly PythonProgram[]): UserError {
  const list = found.map((python) => `${python.executable} (${python.version})`).join(', ');
  return new UserError({
    what: `Jobs need Python 3.${OLDEST_MINOR} to 3.${NEWEST_MINOR}.`,
    why: found.length === 0 ? 'No Python was found on PATH.' : `Found only ${list}.`,
    next: INSTALL_PYTHON,
  });
}

/** uv brings a Python of its own where the machine has none that can be used. */
async function pythonOfUv(uv: string, environment: HostEnvironment): Promise<PythonProgram | undefined> {
  const found = async (): Promise<string | undefined> =>
    (await output(uv, ['python', 'find', '3.11'], environment))?.trim();
  let path = await found();
  if (path === undefined) {
    await output(uv, ['python', 'install', '--quiet', '3.11'], environment);
    path = await found();
  }
  return path === undefined ? undefined : describe(path, environment);
}

/**
 * Finds the Python to make environments from: the one that PYTHON names, else the first usable one on PATH, else uv's.
 *
 * @throws UserError with the command to run: none found, or all too old or too new
 */
export async function findPython(options: {
  readonly named?: string;
  readonly uv?: string;
  readonly environment: HostEnvironment;
}): Promise<PythonProgram> {
  const { named, uv, environment } = options;
  if (named !== undefined && named !== '') return namedPython(named, environment);
  const found = new Map<string, PythonProgram>();
  for (const name of CANDIDATES) {
    const path = await onPath(name, environment);
    if (path === undefined) continue;
    const python = await describe(path, environment);
    if (python === undefined) continue;
    if (isUsable(python)) return python;
    found.set(python.executable, python);
  }
  const brought = uv === undefined ? undefined : await pythonOfUv(uv, environment);
  if (brought !== undefined && isUsable(brought)) return brought;
  throw unusable([...found.values()]);
}

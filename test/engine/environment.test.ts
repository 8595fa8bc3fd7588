import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ensurePythonEnvironment,
  runtimesFolder,
  type EnvironmentOptions,
  type EnvironmentProgress,
} from '../../packages/server/src/engine/python-env.ts';

let folder: string;
let options: EnvironmentOptions;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-env-'));
  const requirementsFile = join(folder, 'requirements.txt');
  await writeFile(requirementsFile, 'six==1.17.0\n');
  const cacheFolder = join(folder, 'cache');
  options = { cacheFolder, requirementsFile, runtimesFolder: runtimesFolder(), environment: process.env };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A PATH of one folder with programs of the test's making. */
async function pathWith(programs: Record<string, string>): Promise<EnvironmentOptions> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(bin, name), 0o755);
  }
  return { ...options, environment: { ...process.env, PATH: bin } };
}

const realPython = (): string =>
  spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout.trim();

test('two that ask at once get one environment; the second waits and says so; a third starts no process', async () => {
  const said: EnvironmentProgress[] = [];
  const onProgress = (progress: EnvironmentProgress): void => void said.push(progress);
  const both = [
    ensurePythonEnvironment({ ...options, onProgress }),
    ensurePythonEnvironment({ ...options, onProgress }),
  ];
  const [first, second] = await Promise.all(both);
  expect(first).toEqual(second);
  expect(first?.versions).toMatchObject({ six: '1.17.0' });
  expect(said.filter(({ phase }) => phase === 'creating')).toHaveLength(1);
  expect(said.filter(({ phase }) => phase === 'waiting')).toHaveLength(1);
  const again = await ensurePythonEnvironment({ ...options, environment: { PATH: '' } });
  expect(again).toEqual(first);
});

test('one that was killed midway is cleaned and made anew', async () => {
  const cut = new AbortController();
  const onProgress = ({ phase }: EnvironmentProgress): void => {
    if (phase !== 'creating') cut.abort();
  };
  await expect(ensurePythonEnvironment({ ...options, onProgress, signal: cut.signal })).rejects.toThrow();
  const said: string[] = [];
  const made = await ensurePythonEnvironment({ ...options, onProgress: ({ phase }) => said.push(phase) });
  expect(said).toContain('cleaning');
  await expect(stat(join(made.folder, 'complete.json'))).resolves.toBeDefined();
});

test('no Python at all: the error says what to install', async () => {
  const none = await pathWith({});
  await expect(ensurePythonEnvironment(none)).rejects.toThrow(/No Python was found on PATH\. Install Python 3\.11/);
});

test('a Python that is too old is named with its version', async () => {
  const old = await pathWith({ python3: 'echo 3.8.10; echo /usr/bin/python3' });
  await expect(ensurePythonEnvironment(old)).rejects.toThrow(/Found only \/usr\/bin\/python3 \(3\.8\.10\)/);
});

test('a Python named by the user that does not run is not replaced by another', async () => {
  const named = { ...options, python: '/no/such/python' };
  await expect(ensurePythonEnvironment(named)).rejects.toThrow('PYTHON names /no/such/python, which does not run');
});

test("Debian's Python without venv: the error gives the apt-get command", async () => {
  // As on Debian, where ensurepip is a package of its own.
  const hidden = `import sys; sys.modules["ensurepip"] = None; sys.argv = sys.argv[1:]; exec(open(sys.argv[0]).read())`;
  const real = realPython();
  const wrapper = join(folder, 'debian-python');
  await writeFile(
    wrapper,
    `#!/bin/sh\nif [ "$2" = -c ]; then echo 3.11.2; echo ${wrapper}; exit; fi\nshift\nexec ${real} -c '${hidden}' "$@"\n`,
  );
  await chmod(wrapper, 0o755);
  await expect(ensurePythonEnvironment({ ...options, python: wrapper })).rejects.toThrow(
    /sudo apt-get install python3\.\d+-venv/,
  );
});

test('without a network the error says so, and nothing that looks finished is left', async () => {
  const environment = {
    ...process.env,
    PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
    PIP_FIND_LINKS: '',
    PIP_NO_CACHE_DIR: '1',
    PIP_RETRIES: '0',
  };
  await writeFile(options.requirementsFile ?? '', 'six==1.15.0\n');
  await expect(ensurePythonEnvironment({ ...options, environment })).rejects.toThrow(/no package index answers/);
  const names = await readdir(join(options.cacheFolder, 'python'));
  for (const name of names.filter((entry) => !entry.endsWith('.lock'))) {
    await expect(stat(join(options.cacheFolder, 'python', name, 'complete.json'))).rejects.toThrow('ENOENT');
  }
});

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runtimesFolder } from '@slipway/server/python';
import { expect, test } from 'vitest';
import { jobPython } from '../support/python-clients.ts';

/** The container contracts are tested in Python, by the Python that jobs run in. */
const SUITES = readdirSync(join(runtimesFolder(), 'tests'))
  .filter((name) => /^test_\w+\.py$/.test(name))
  .map((name) => name.replace('.py', ''));

test('every contract has its suite', () => {
  expect(SUITES).toEqual([
    'test_archive',
    'test_script_handler',
    'test_script_mode',
    'test_serve',
    'test_xgboost_algorithm',
  ]);
});

test.each(SUITES)('%s holds', async (suite) => {
  const { python } = await jobPython();
  const env = { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1', ...seed() };
  const { output, code } = await new Promise<{ output: string; code: number }>((resolve) => {
    const options = { cwd: runtimesFolder(), env, timeout: 200_000, maxBuffer: 16 * 1024 * 1024 };
    execFile(python, ['-m', 'unittest', `tests.${suite}`], options, (error, stdout, stderr) =>
      resolve({ output: stdout + stderr, code: error === null ? 0 : 1 }),
    );
  });
  expect(code, output).toBe(0);
  expect(Number(/Ran (\d+) tests/.exec(output)?.[1])).toBeGreaterThan(5);
});

/** SLIPWAY_TEST_SEED repeats a run of the property tests, which name their seed when they fail. */
function seed(): Record<string, string> {
  const given = process.env['SLIPWAY_TEST_SEED'];
  return given === undefined ? {} : { SLIPWAY_TEST_SEED: given };
}

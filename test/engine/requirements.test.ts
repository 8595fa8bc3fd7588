import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobExit } from '../../packages/server/src/engine/engine.ts';
import { openBench, type Bench } from './bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

async function train(id: string, script: string, requirements: string): Promise<JobExit> {
  const { ml } = await bench.engine.jobFolder(id);
  const code = join(ml, 'code');
  await mkdir(code, { recursive: true });
  await mkdir(join(ml, 'input', 'config'), { recursive: true });
  await writeFile(join(code, 'requirements.txt'), requirements);
  const hyperparameters = { sagemaker_program: '"main.py"', sagemaker_submit_directory: '"/opt/ml/code"' };
  await writeFile(join(ml, 'input', 'config', 'hyperparameters.json'), JSON.stringify(hyperparameters));
  return bench.run(id, script, { mode: 'train' });
}

test('a package that the environment lacks is there for the job, and for no other', async () => {
  const script = 'import colorama\nprint("found", colorama.__version__)';
  expect(await train('more', script, 'colorama==0.4.6\n')).toMatchObject({ reason: 'exited', exitCode: 0 });
  expect(await bench.log('more')).toContain('found 0.4.6');
  expect(await bench.run('others', 'import colorama')).toMatchObject({ exitCode: 1 });
});

test('a layer is made once and reused', async () => {
  expect(await train('again', 'import colorama', 'colorama==0.4.6\n')).toMatchObject({ exitCode: 0 });
  expect(await bench.log('again')).not.toContain('installing');
});

test('another version of a package that the zygote imported is what the job gets', async () => {
  const exit = await train('other', 'import six, numpy\nprint("six is", six.__version__)', 'six==1.16.0\n');
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 0 });
  expect(await bench.log('other')).toContain('six is 1.16.0');
});

test('requirements that cannot be installed fail the job, and its message says what', async () => {
  const exit = await train('wrong', 'print("ran")', './not-there\n');
  expect(exit.reason).toBe('exited');
  expect(exit.exitCode).not.toBe(0);
  expect(exit.message).toContain('requirements.txt could not be installed');
  expect(await bench.log('wrong')).not.toContain('ran');
});

test('what a job installs by itself stays in its own folder', async () => {
  const script = `
import subprocess
subprocess.run(['pip', 'install', '-q', 'colorama==0.4.6'], check=True)
import colorama
open('/opt/ml/where', 'w').write(colorama.__file__)
`;
  expect(await bench.run('alone', script)).toMatchObject({ exitCode: 0 });
  const { root, ml } = await bench.engine.jobFolder('alone');
  expect(await readFile(join(ml, 'where'), 'utf8')).toContain(root);
});

import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '../digest.ts';
import { measureCsv, sourceFiles } from './files.ts';
import { packDeterministic } from './source.ts';

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'slipway-source-test-'));
  await mkdir(join(project, 'models/churn/__pycache__'), { recursive: true });
  await mkdir(join(project, 'libs/features'), { recursive: true });
  await writeFile(join(project, 'models/churn/train.py'), 'print(1)\n');
  await writeFile(join(project, 'models/churn/data.csv'), 'a,b\n1,2\n');
  await writeFile(join(project, 'models/churn/__pycache__/x.pyc'), 'x');
  await writeFile(join(project, 'libs/features/price.py'), 'PRICE = 1\n');
});
afterEach(() => rm(project, { recursive: true, force: true }));

test('a source is the folder without caches and data, and the shared inputs under their own path', async () => {
  const folder = join(project, 'models/churn');
  const files = await sourceFiles(folder, project, ['../../libs/features/**'], [join(folder, 'data.csv')]);
  expect(files.map((file) => file.path)).toEqual(['libs/features/price.py', 'train.py']);
});

test('the same files give the same archive, whenever they were written', async () => {
  const folder = join(project, 'models/churn');
  const first = await packDeterministic(await sourceFiles(folder, project, [], []));
  await utimes(join(folder, 'train.py'), new Date(1), new Date(1));
  const second = await packDeterministic(await sourceFiles(folder, project, [], []));
  expect(sha256(second)).toBe(sha256(first));
});

test('a link is refused, and so is an input that leads out of the project or matches nothing', async () => {
  const folder = join(project, 'models/churn');
  await expect(sourceFiles(folder, project, ['../../../../etc/*'], [])).rejects.toThrow(/leads out of the project/);
  await expect(sourceFiles(folder, project, ['../../libs/none/*.py'], [])).rejects.toThrow(/matches no file/);
  await symlink('/etc/hostname', join(folder, 'link.py'));
  await expect(sourceFiles(folder, project, [], [])).rejects.toThrow(/is a link/);
});

test('records of a CSV are counted with their quoted line ends', async () => {
  const path = join(project, 'quoted.csv');
  await writeFile(path, '\uFEFFa,b\r\n"x\ny",1\r\n\r\n2,3');
  expect(await measureCsv(path)).toMatchObject({ records: 3, columns: ['a', 'b'] });
});

import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive, openBench, until, type Bench } from './bench.ts';

const NAMES_IT = `
import os, time
open('/opt/ml/model/file', 'w').write(str(os.getpid()))
assert os.listdir('/opt/ml/model') == ['file']
time.sleep(0.2)
`;

async function prepare(bench: Bench, id: string): Promise<string> {
  const { ml } = await bench.engine.jobFolder(id);
  await mkdir(join(ml, 'model'), { recursive: true });
  return ml;
}

async function isolationOf(bench: Bench, id: string): Promise<string> {
  const { root } = await bench.engine.jobFolder(id);
  return (JSON.parse(await readFile(join(root, 'isolation.json'), 'utf8')) as { isolation: string }).isolation;
}

describe('in a private mount namespace', () => {
  let bench: Bench;
  let isAllowed = false;
  beforeAll(async () => {
    bench = await openBench();
    await bench.run('probe', '');
    isAllowed = (await isolationOf(bench, 'probe')) === 'namespace';
  });
  afterAll(() => bench.close());

  test('two jobs at once each have their own /opt/ml, and the rest of /opt stays visible', async ({ skip }) => {
    skip(!isAllowed, 'this machine allows no mount namespaces');
    const script = `${NAMES_IT}\nprint(sorted(set(os.listdir('/opt')) - {'ml'}))`;
    const mls = [await prepare(bench, 'left'), await prepare(bench, 'right')];
    const exits = await Promise.all([bench.run('left', script), bench.run('right', script)]);
    expect(exits.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const pids = await Promise.all(mls.map((ml) => readFile(join(ml, 'model', 'file'), 'utf8')));
    expect(new Set(pids).size).toBe(2);
    const { readdir } = await import('node:fs/promises');
    const outside = (await readdir('/opt').catch(() => [])).filter((name) => name !== 'ml').toSorted();
    const seen = JSON.parse((await bench.log('left')).trim().replaceAll("'", '"')) as string[];
    expect(seen).toEqual(outside);
  });

  test('nothing is mounted or made outside the job', async ({ skip }) => {
    skip(!isAllowed, 'this machine allows no mount namespaces');
    await prepare(bench, 'clean');
    await bench.run('clean', NAMES_IT);
    expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain('/opt');
  });
});

describe("in the job's own folder", () => {
  let bench: Bench;
  let canLink = false;
  beforeAll(async () => {
    bench = await openBench({ isolation: 'folder' });
    await prepare(bench, 'probe');
    canLink = (await bench.run('probe', NAMES_IT)).reason === 'exited';
  });
  afterAll(() => bench.close());

  test('paths in the command and the environment are moved into the folder', async () => {
    const ml = await prepare(bench, 'moved');
    const script = `
import os, sys
from pathlib import Path
default = os.environ.get('SM_MODEL_DIR', '/opt/ml/model')  # A comment may name /opt/ml too.
Path(default, 'a').write_text(sys.argv[1])
`;
    const exit = await bench.run('moved', script, {
      command: ['python3', '/opt/ml/code/main.py', '--out=/opt/ml/output'],
      environment: { SM_MODEL_DIR: '/opt/ml/model' },
    });
    expect(exit).toMatchObject({ reason: 'exited', exitCode: 0 });
    expect(await readFile(join(ml, 'model', 'a'), 'utf8')).toBe(`--out=${ml}/output`);
  });

  test("a script that names /opt/ml has the machine's, one job after the other", async ({ skip }) => {
    skip(!canLink, 'this machine lets nobody make /opt/ml');
    const mls = [await prepare(bench, 'first'), await prepare(bench, 'second')];
    const exits = await Promise.all([bench.run('first', NAMES_IT), bench.run('second', NAMES_IT)]);
    expect(exits.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    for (const ml of mls) expect(await readFile(join(ml, 'model', 'file'), 'utf8')).toMatch(/^\d+$/);
    await expect(lstat('/opt/ml')).rejects.toThrow('ENOENT');
  });

  test('where /opt/ml belongs to somebody else the job is refused, naming the file and the line', async ({ skip }) => {
    skip(!canLink, 'this machine lets nobody make /opt/ml');
    await mkdir('/opt/ml');
    const { rm } = await import('node:fs/promises');
    try {
      await writeFile('/opt/ml/theirs', '');
      const exit = await bench.run('refused', `import os\n${NAMES_IT}`);
      expect(exit.reason).toBe('refused');
      expect(exit.explanation).toMatch(/^main\.py:4 names \/opt\/ml/);
    } finally {
      await rm('/opt/ml', { recursive: true });
    }
  });

  test('a link that a killed supervisor left is taken over', async ({ skip }) => {
    skip(!canLink, 'this machine lets nobody make /opt/ml');
    await prepare(bench, 'killed');
    await bench.start('killed', `open('/opt/ml/up', 'w')\nimport time\ntime.sleep(600)`);
    const { root, ml } = await bench.engine.jobFolder('killed');
    await until(async () => (await lstat(join(ml, 'up')).catch(() => undefined)) !== undefined);
    const note = JSON.parse(await readFile(join(root, 'process.json'), 'utf8')) as { pid: number; supervisor: number };
    process.kill(note.supervisor, 'SIGKILL');
    expect(await bench.wait('killed')).toMatchObject({ reason: 'lost' });
    expect(await isAlive(note.pid)).toBe(false);
    await prepare(bench, 'after');
    expect(await bench.run('after', NAMES_IT)).toMatchObject({ reason: 'exited', exitCode: 0 });
  });
});

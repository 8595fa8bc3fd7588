import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive, makeData, openBench, until, type Bench } from './bench.ts';

const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url));
const WAITS_FOR_FILE = `
import os, time
open('/opt/ml/runs', 'a').write('run ')
print('up', flush=True)
while not os.path.exists('/opt/ml/go'):
    time.sleep(0.02)
print('done')
raise SystemExit(7)
`;

let data: string;
let benches: Bench[] = [];
beforeEach(async () => {
  data = await makeData();
});
afterEach(async () => {
  for (const bench of benches) await bench.close();
  benches = [];
  await rm(data, { recursive: true, force: true });
});

async function open(): Promise<Bench> {
  const bench = await openBench({ dataFolder: data });
  benches.push(bench);
  return bench;
}

async function startVictim(script: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', VICTIM, data, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

interface Note {
  readonly pid: number;
  readonly supervisor: number;
}

async function processOf(id: string): Promise<Note> {
  return JSON.parse(await readFile(join(data, 'jobs', id, 'process.json'), 'utf8')) as Note;
}

test('a job outlives a server that is killed, and the next one learns how it ends', async () => {
  const victim = await startVictim(WAITS_FOR_FILE);
  victim.kill('SIGKILL');
  await once(victim, 'exit');
  const bench = await open();
  const waiting = bench.wait('survivor');
  await until(() => bench.engine.liveJobs().includes('survivor'));
  await bench.start('survivor', WAITS_FOR_FILE);
  await writeFile(join(data, 'jobs', 'survivor', 'ml', 'go'), '');
  expect(await waiting).toMatchObject({ reason: 'exited', exitCode: 7 });
  expect(await readFile(join(data, 'jobs', 'survivor', 'ml', 'runs'), 'utf8')).toBe('run ');
  expect(await bench.log('survivor')).toBe('up\ndone\n');
  expect(bench.engine.liveJobs()).toEqual([]);
});

test('a job that ended while no server was there is answered at once', async () => {
  const victim = await startVictim('print("quick")');
  await until(async () => (await readFile(join(data, 'jobs', 'survivor', 'exit.json')).catch(() => '')).length > 0);
  victim.kill('SIGKILL');
  expect(await (await open()).wait('survivor')).toMatchObject({ reason: 'exited', exitCode: 0 });
});

test('an adopted job can be stopped', async () => {
  const victim = await startVictim(WAITS_FOR_FILE);
  victim.kill('SIGKILL');
  const bench = await open();
  await bench.engine.stopJob('survivor', 1000);
  expect(await bench.wait('survivor')).toMatchObject({ reason: 'stopped', signal: 'SIGTERM' });
});

test('a job whose supervisor is killed is lost, its processes end, and it never runs again', async () => {
  const bench = await open();
  const script = `import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid, flush=True)\n${WAITS_FOR_FILE}`;
  await bench.start('orphan', script);
  await until(async () => (await bench.log('orphan')).includes('up'));
  const { pid, supervisor } = await processOf('orphan');
  process.kill(supervisor, 'SIGKILL');
  expect(await bench.wait('orphan')).toMatchObject({ reason: 'lost' });
  const child = Number.parseInt(await bench.log('orphan'), 10);
  await until(async () => !(await isAlive(pid)) && !(await isAlive(child)));
  await bench.start('orphan', script);
  expect(await bench.wait('orphan')).toMatchObject({ reason: 'lost' });
  expect(await readFile(join(data, 'jobs', 'orphan', 'ml', 'runs'), 'utf8')).toBe('run ');
});

test('a start that was cut off before the work began is made good by the next', async () => {
  const first = await open();
  await first.start('seed', '');
  await first.wait('seed');
  const spec = JSON.parse(await readFile(join(data, 'jobs', 'seed', 'spec.json'), 'utf8')) as Record<string, unknown>;
  const folder = await first.engine.jobFolder('cut');
  const renamed = JSON.stringify({ ...spec, id: 'cut' }).replaceAll('jobs/seed', 'jobs/cut');
  await writeFile(join(folder.root, 'spec.json'), renamed);
  expect(await first.run('cut', 'raise SystemExit(4)')).toMatchObject({ reason: 'exited', exitCode: 4 });
});

test('the zygote may be killed: its jobs go on and the next job has another', async () => {
  const bench = await open();
  await bench.start('before', WAITS_FOR_FILE);
  const { supervisor } = await processOf('before');
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${supervisor}/status`, 'utf8'))?.[1]);
  process.kill(parent, 'SIGKILL');
  expect(await bench.run('after', 'print("here")')).toMatchObject({ exitCode: 0 });
  await writeFile(join(data, 'jobs', 'before', 'ml', 'go'), '');
  expect(await bench.wait('before')).toMatchObject({ reason: 'exited', exitCode: 7 });
});

test("closing the engine ends the zygote and leaves the job, and nothing of either after the job's end", async () => {
  const bench = await open();
  await bench.start('left', WAITS_FOR_FILE);
  const { supervisor, pid } = await processOf('left');
  const zygote = Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${supervisor}/status`, 'utf8'))?.[1]);
  await bench.engine.close();
  expect(await isAlive(zygote)).toBe(false);
  expect(await isAlive(pid)).toBe(true);
  await writeFile(join(data, 'jobs', 'left', 'ml', 'go'), '');
  await until(async () => !(await isAlive(pid)) && !(await isAlive(supervisor)));
  expect(JSON.parse(await readFile(join(data, 'jobs', 'left', 'exit.json'), 'utf8'))).toMatchObject({ exitCode: 7 });
});

test('callers that connect to a supervisor and leave at once do not end it', async () => {
  const bench = await open();
  await bench.start('visited', WAITS_FOR_FILE);
  const { socket } = JSON.parse(await readFile(join(data, 'jobs', 'visited', 'spec.json'), 'utf8')) as {
    socket: string;
  };
  for (let visit = 0; visit < 200; visit++) {
    const stream = connect(socket);
    await once(stream, 'connect');
    stream.destroy();
  }
  await writeFile(join(data, 'jobs', 'visited', 'ml', 'go'), '');
  expect(await bench.wait('visited')).toMatchObject({ reason: 'exited', exitCode: 7 });
});

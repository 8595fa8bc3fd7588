import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive, openBench, until, type Bench } from './bench.ts';

const CAP_BYTES = 4 * 1024 * 1024;
let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ logCapBytes: CAP_BYTES, deadlineGraceMs: 300, memoryCapBytes: 900 * 1024 * 1024 });
  await bench.engine.warm();
});
afterAll(() => bench.close());

test('a script finds what a process of its own would: file, name, arguments, folder and interpreter', async () => {
  const script = `
import json, os, subprocess, sys
child = subprocess.check_output([sys.executable, '-c', 'import numpy, sys; print(sys.executable)'], text=True)
print(json.dumps([__file__, __name__, sys.argv[1:], sys.executable == child.strip(), os.environ['COLOUR'],
  subprocess.run(['pip3', '--version'], capture_output=True).returncode, os.access(os.getcwd(), os.W_OK)]))
`;
  const command = ['python3', '/opt/ml/code/main.py', '--depth', '3'];
  const exit = await bench.run('contract', script, { command, environment: { COLOUR: 'green' } });
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 0 });
  const [file, name, args, ...rest] = JSON.parse(await bench.log('contract')) as unknown[];
  expect(file).toMatch(/\/code\/main\.py$/);
  expect([name, args, rest]).toEqual(['__main__', ['--depth', '3'], [true, 'green', 0, true]]);
});

test('a job sees nothing of the environment that the server was started in', async () => {
  const secretive = await openBench({
    environment: { ...process.env, MY_TOKEN: 'hush', HTTP_PROXY: 'http://a:hush@b' },
  });
  try {
    const script = `
import os
print(os.environ)
print(open('/proc/self/environ').read())
print(open('/proc/%d/environ' % os.getppid()).read())
`;
    await secretive.run('secret', script);
    expect(await secretive.log('secret')).toContain('PATH');
    expect(await secretive.log('secret')).not.toContain('hush');
  } finally {
    await secretive.close();
  }
});

test("a script that raises ends with code 1 and Python's own traceback, from the script's first line on", async () => {
  const exit = await bench.run('raises', 'def work():\n    raise ValueError("no rows")\n\nwork()\n');
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 1 });
  const lines = (await bench.log('raises')).trim().split('\n');
  expect(lines[0]).toBe('Traceback (most recent call last):');
  expect(lines[1]).toMatch(/File ".*\/code\/main\.py", line 4, in <module>/);
  expect(lines.at(-1)).toBe('ValueError: no rows');
});

test('a script with a syntax error says where', async () => {
  const exit = await bench.run('syntax', 'x = 1\nif x\n');
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 1 });
  expect(await bench.log('syntax')).toMatch(/main\.py", line 2[\s\S]*SyntaxError/);
});

test("a script's own exit code and message are the job's", async () => {
  const script = `
import os, sys
os.makedirs('/opt/ml/output', exist_ok=True)
open('/opt/ml/output/message', 'w').write('é' * 3000)
sys.exit(3)
`;
  const exit = await bench.run('three', script);
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 3, message: 'é'.repeat(1024) });
});

test('a script that hangs is ended at its deadline', async () => {
  const exit = await bench.run('hangs', 'import time\ntime.sleep(600)', { deadlineMs: 300 });
  expect(exit).toMatchObject({ reason: 'deadline', signal: 'SIGTERM' });
});

test('a script that ignores SIGTERM is killed after the grace', async () => {
  const script = `
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf')
time.sleep(600)
`;
  await bench.start('deaf', script);
  await until(async () => (await bench.log('deaf')).includes('deaf'));
  await bench.engine.stopJob('deaf', 200);
  expect(await bench.wait('deaf')).toMatchObject({ reason: 'stopped', signal: 'SIGKILL' });
});

test('no grandchild outlives its job, not even one that left its group', async () => {
  const script = `
import os, subprocess, sys
child = subprocess.Popen(['sleep', '600'])
stray = os.fork()
if stray == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        os.execvp('sleep', ['sleep', '600'])
    os._exit(0)
os.waitpid(stray, 0)
print(child.pid, flush=True)
import time; time.sleep(0.2)
`;
  await bench.run('parents', script);
  const pids = (await bench.log('parents')).trim().split('\n').map(Number);
  expect(pids).toHaveLength(2);
  for (const pid of pids) expect(await isAlive(pid)).toBe(false);
});

test('a script that prints 200 MB finishes; the log keeps its head, its last lines, and says how much was dropped', async () => {
  const script = `
line = 'x' * 1023
print('first')
for number in range(200_000):
    print(line)
print('last')
raise ValueError('at the end')
`;
  const exit = await bench.run('chatty', script);
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 1 });
  const log = await bench.log('chatty');
  expect(log.length).toBeLessThan(2 * CAP_BYTES);
  expect(log.startsWith('first\n')).toBe(true);
  expect(log.trimEnd().endsWith('ValueError: at the end')).toBe(true);
  const [, dropped] = /\[slipway\] (\d+) bytes dropped: the log is capped at \d+ bytes/.exec(log) ?? [];
  expect(Number(dropped)).toBeGreaterThan(150_000_000);
});

test("the log's index tells when it grew", async () => {
  const exit = await bench.run('index', 'import time\nprint("one")\ntime.sleep(0.4)\nprint("two")\n');
  const { log } = await bench.engine.jobFolder('index');
  const entries = (await readFile(`${log}.index`, 'utf8')).trim().split('\n');
  const pairs = entries.map((line) => line.split(' ').map(Number));
  expect(pairs.map(([, size]) => size)).toEqual([4, 8]);
  for (const [at] of pairs) {
    expect(at).toBeGreaterThanOrEqual(exit.startedAt ?? Infinity);
    expect(at).toBeLessThanOrEqual(exit.endedAt);
  }
});

test('a script killed from outside says by which signal', async () => {
  const exit = await bench.run('shot', 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)');
  expect(exit).toMatchObject({ reason: 'signaled', signal: 'SIGKILL' });
});

test('a script that takes more memory than a job may have is ended, and the reason says so', async () => {
  const exit = await bench.run('greedy', 'import time\nhold = bytearray(1200 * 1024 * 1024)\ntime.sleep(30)');
  expect(exit).toMatchObject({ reason: 'out-of-memory', signal: 'SIGKILL' });
  expect(exit.explanation).toMatch(/it used \d+ MB, over the limit of 900 MB/);
});

test('a command that is not there ends with the code a shell gives', async () => {
  const exit = await bench.run('absent', '', { command: ['/no/such/program'] });
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 127 });
});

test('a shell script runs as the container would run it', async () => {
  await bench.engine.jobFolder('shell');
  const exit = await bench.run('shell', '', { command: ['/bin/bash', '-c', 'python -c "import xgboost"; exit 5'] });
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 5 });
});

test('two starts of one id run it once, at the same time and after its end', async () => {
  const script = `open('/opt/ml/ran', 'a').write('once')`;
  await Promise.all([bench.start('twice', script), bench.start('twice', script)]);
  await bench.wait('twice');
  await bench.start('twice', script);
  const { ml } = await bench.engine.jobFolder('twice');
  expect(await readFile(join(ml, 'ran'), 'utf8')).toBe('once');
});

test('a cleared job keeps its log and its exit, and is not run again', async () => {
  await bench.run('cleared', 'print("kept")');
  const { root } = await bench.engine.jobFolder('cleared');
  await bench.engine.clearJob('cleared');
  await expect(stat(root)).rejects.toThrow('ENOENT');
  await bench.start('cleared', 'print("again")');
  expect(await bench.wait('cleared')).toMatchObject({ reason: 'exited', exitCode: 0 });
  expect(await bench.log('cleared')).toBe('kept\n');
});

test('several threads work after the fork', async () => {
  const script = `
import numpy as np, xgboost as xgb, lightgbm as lgb, threadpoolctl
x = np.random.rand(4000, 10); y = (x[:, 0] > .5).astype(int)
xgb.train({'nthread': 2}, xgb.DMatrix(x, y), 5).predict(xgb.DMatrix(x))
lgb.train({'num_threads': 2, 'verbose': -1}, lgb.Dataset(x, y), 5).predict(x)
x.T @ x
print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})
`;
  expect(await bench.run('threads', script)).toMatchObject({ reason: 'exited', exitCode: 0 });
});

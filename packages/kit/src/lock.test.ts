import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock, LockHeld } from './lock.ts';

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** A real process that takes the lock, says so and holds it. */
async function holder(): Promise<ChildProcess> {
  const module = fileURLToPath(new URL('../dist/lock.js', import.meta.url));
  const program = `
    const { acquireLock } = await import(${JSON.stringify(module)});
    try {
      await acquireLock(${JSON.stringify(path)}, 'the folder', 'a test holder');
      console.log('held');
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.name);
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

async function saying(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  return chunk.toString().trim();
}

describe('the lock', () => {
  it('is held by one part of one process at a time, and can be taken again after its release', async () => {
    const lock = await acquireLock(path, 'the folder', 'first');
    await expect(acquireLock(path, 'the folder', 'second')).rejects.toThrow(LockHeld);
    await lock.release();
    await lock.release();
    expect(existsSync(path)).toBe(false);
    await (await acquireLock(path, 'the folder', 'third')).release();
  });

  it('says who holds it, since when, and what to do', async () => {
    const child = await holder();
    expect(await saying(child)).toBe('held');
    const error = await acquireLock(path, 'the folder', 'second').catch((thrown: unknown) => thrown as LockHeld);
    expect(error).toMatchObject({ pid: child.pid, what: 'Another process is using the folder.' });
    expect((error as LockHeld).why).toMatch(`Process ${child.pid} (a test holder) has held ${path} since 20`);
    expect((error as LockHeld).next).toContain(`kill ${child.pid}`);
  });

  it('is free the moment its holder was killed, whatever its note says', async () => {
    const child = await holder();
    expect(await saying(child)).toBe('held');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: child.pid });
    const lock = await acquireLock(path, 'the folder', 'second');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid, command: 'second' });
    await lock.release();
  });

  it('is not taken for held because of a note that names a living process, nor for free because of a garbled one', async () => {
    writeFileSync(path, JSON.stringify({ pid: process.ppid, token: 'x', command: 'old', since: 'once' }));
    const lock = await acquireLock(path, 'the folder', 'first');
    writeFileSync(path, 'garbled');
    await expect(acquireLock(path, 'the folder', 'second')).rejects.toThrow(/Another process is using the folder/);
    await lock.release();
  });

  it('goes to exactly one of several processes that start at once', async () => {
    const said = await Promise.all((await Promise.all([1, 2, 3, 4].map(holder))).map(saying));
    expect(said.sort()).toEqual(['LockHeld', 'LockHeld', 'LockHeld', 'held']);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { thisProcess } from './this-process.ts';

describe('the process that holds a lease', () => {
  it('is not gone while it lives, nor when another machine names it', () => {
    const { process: name, isGone } = thisProcess();
    expect(isGone(name)).toBe(false);
    expect(isGone(name.replace(/^[^/]*/, 'another-host'))).toBe(false);
    expect(isGone('no process at all')).toBe(false);
  });

  it('is gone when it has ended, and when its pid belongs to a later process', async () => {
    const { process: name, isGone } = thisProcess();
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const [host, own, started] = name.split('/');
    expect(isGone(`${host}/${child.pid}/${started}`)).toBe(true);
    if (started !== 'unknown') expect(isGone(`${host}/${own}/1`)).toBe(true);
  });
});

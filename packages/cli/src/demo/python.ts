import { spawn } from 'node:child_process';
import { pythonScript } from '../templates.ts';

const LIMIT_BYTES = 1 << 20;

/** Runs a Python script to its end and gives what it printed. @throws Error with the end of its standard error */
export async function runPython(python: string, args: readonly string[], input = ''): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = spawn(python, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', OMP_NUM_THREADS: '1' },
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out = (out + text).slice(-LIMIT_BYTES)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-LIMIT_BYTES)));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${args[0] ?? python} ended with ${code}: ${err.trim().split('\n').slice(-5).join('\n')}`));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** The script that loads a downloaded artifact without anything of ours. */
export const PREDICT_PLAINLY = pythonScript('predict_plainly.py');

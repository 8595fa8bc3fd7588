// From spawn to the answer of the first ListTrainingJobs on a data folder with 10,000 jobs, beside the physical limit of
// a Node process that answers one HTTP request and does nothing else. Goal: under 300 ms, and under 100 MB after it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause, stopwatch } from '@slipway/kit/stopwatch';
import { BIN } from '../test/support/cli.ts';
import { fillWithJobs } from './many-jobs.ts';
import { interleaved, print } from './measure.ts';

const JOBS = 10_000;
const ROUNDS = 9;
const BARE = "require('http').createServer((q,r)=>r.end('{}')).listen(PORT,'127.0.0.1')";

const dataFolder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
await fillWithJobs(dataFolder, JOBS);
let residentMb: number[] = [];
let port = 21_000 + (process.pid % 10_000);

const measured = await interleaved(
  {
    [`slipway up, first ListTrainingJobs of ${JOBS}`]: async () => {
      const at = (port += 1);
      const watch = stopwatch();
      const child = spawn(process.execPath, [BIN, 'up', '--data', dataFolder, '--port', String(at)], {
        stdio: 'ignore',
      });
      await untilAnswered(`http://127.0.0.1:${at}`);
      const elapsed = watch.elapsedMs();
      residentMb.push(await residentMegabytes(child));
      await end(child);
      return elapsed;
    },
    'a bare node:http server, first answer': async () => {
      const at = (port += 1);
      const watch = stopwatch();
      const child = spawn(process.execPath, ['-e', BARE.replace('PORT', String(at))], { stdio: 'ignore' });
      await untilAnswered(`http://127.0.0.1:${at}`);
      const elapsed = watch.elapsedMs();
      await end(child);
      return elapsed;
    },
  },
  ROUNDS,
);
residentMb = residentMb.toSorted((one, other) => one - other);
const ratio = (measured[0]?.medianMs ?? Number.NaN) / (measured[1]?.medianMs ?? Number.NaN);
print('Start-up', measured, [
  `ratio ${ratio.toFixed(2)}`,
  `resident memory of the server after it: median ${residentMb[residentMb.length >> 1]?.toFixed(0)} MB; no Python process is started`,
]);
await rm(dataFolder, { recursive: true, force: true });

/** A raw request, so that the client's own start-up is not in the figure. */
async function untilAnswered(url: string): Promise<void> {
  for (;;) {
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'SageMaker.ListTrainingJobs',
          authorization:
            'AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0',
        },
        body: '{}',
      });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`ListTrainingJobs answered ${answer.status}`);
      return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch failed: nobody listens yet
      await pause(2);
    }
  }
}

async function residentMegabytes(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

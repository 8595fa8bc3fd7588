import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Worker, WorkerResponse, WorkerSpec } from '../../packages/server/src/engine/engine.ts';
import { WorkerGone, WorkerTimeout, WorkerUnhealthy } from '../../packages/server/src/engine/worker.ts';
import { isAlive, openBench, until, type Bench } from './bench.ts';

const SKLEARN = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3';
const ECHO = `
import json, os, time
def model_fn(folder):
    print('loading', flush=True)
    return open(os.path.join(folder, 'weights')).read()
def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()
def predict_fn(data, model):
    if data == 'raise':
        raise ValueError('no such row')
    if data == 'die':
        os._exit(9)
    if data == 'hang':
        time.sleep(600)
    return model + data
def output_fn(prediction, accept):
    return json.dumps(prediction), 'application/json'
`;

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

async function modelWith(name: string, inference: string): Promise<string> {
  const folder = join(bench.data, 'models', name);
  await mkdir(join(folder, 'code'), { recursive: true });
  await writeFile(join(folder, 'code', 'inference.py'), inference);
  await writeFile(join(folder, 'weights'), 'w:');
  return folder;
}

async function open(id: string, inference = ECHO, more: Partial<WorkerSpec> = {}): Promise<Worker> {
  const spec: WorkerSpec = {
    id,
    image: bench.engine.image(SKLEARN),
    modelFolder: await modelWith(id, inference),
    environment: {},
    log: join(bench.data, 'logs', `${id}.log`),
    startupMs: 30_000,
    ...more,
  };
  return bench.engine.startWorker(spec, new AbortController().signal);
}

function ask(worker: Worker, body: string, deadlineMs = 20_000): Promise<WorkerResponse> {
  const request = { body: Buffer.from(body), contentType: 'text/csv', accept: 'application/json' };
  return worker.invoke(request, deadlineMs);
}

test('a worker answers with what its functions give; what they raise is a status, and it goes on', async () => {
  const worker = await open('echo');
  const good = await ask(worker, 'row');
  expect([good.status, Buffer.from(good.body).toString()]).toEqual([200, '"w:row"']);
  const bad = await ask(worker, 'raise');
  expect(bad.status).toBeGreaterThanOrEqual(400);
  expect((await ask(worker, 'again')).status).toBe(200);
  expect(await readFile(join(bench.data, 'logs', 'echo.log'), 'utf8')).toContain('loading');
  await worker.close();
  expect(await isAlive(worker.pid)).toBe(false);
});

test('many requests in flight are each answered with their own answer', async () => {
  const worker = await open('many');
  const bodies = Array.from({ length: 300 }, (_, index) => `row ${index} ${'x'.repeat(index * 50)}`);
  const answers = await Promise.all(bodies.map((body) => ask(worker, body)));
  expect(answers.map(({ body }) => JSON.parse(Buffer.from(body).toString()) as string)).toEqual(
    bodies.map((body) => `w:${body}`),
  );
  await worker.close();
});

test('a worker that dies rejects what waits, and says so once', async () => {
  const worker = await open('mortal');
  await ask(worker, 'warm');
  const said: string[] = [];
  worker.onExit((why) => said.push(why));
  await expect(ask(worker, 'die')).rejects.toThrow(WorkerGone);
  await expect(ask(worker, 'more')).rejects.toThrow(WorkerGone);
  expect(said).toHaveLength(1);
});

test('a worker whose first prediction hangs is killed at its deadline', async () => {
  const worker = await open('hung');
  const gone = new Promise<string>((resolve) => worker.onExit(resolve));
  await expect(ask(worker, 'hang', 200)).rejects.toThrow(WorkerTimeout);
  await gone;
  await until(async () => !(await isAlive(worker.pid)));
});

test('a model that cannot be loaded fails the start at once, with the reason', async () => {
  const started = open('broken', 'def model_fn(folder):\n    raise RuntimeError("weights are torn")');
  await expect(started).rejects.toThrow(WorkerUnhealthy);
  await expect(open('broken', 'def model_fn(folder):\n    raise RuntimeError("weights are torn")')).rejects.toThrow(
    'torn',
  );
});

test('the xgboost image serves many models at once, loads one twice as 409, and predicts as plain Python does', async () => {
  const script = `
import numpy as np, xgboost as xgb, json
rng = np.random.default_rng(7)
x = rng.random((200, 4)); y = (x[:, 0] > .5).astype(int)
booster = xgb.train({'objective': 'binary:logistic', 'nthread': 2}, xgb.DMatrix(x, y), 5)
import os
os.makedirs('/opt/ml/model', exist_ok=True)
booster.save_model('/opt/ml/model/xgboost-model')
row = [0.25, 0.5, 0.75, 1.0]
json.dump([float(p) for p in booster.predict(xgb.DMatrix(np.array([row])))], open('/opt/ml/expected', 'w'))
`;
  expect(await bench.run('trainer', script)).toMatchObject({ exitCode: 0 });
  const { ml } = await bench.engine.jobFolder('trainer');
  const image = bench.engine.image('811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1');
  const log = join(bench.data, 'logs', 'multi.log');
  const spec: WorkerSpec = { id: 'multi', image, environment: {}, log, startupMs: 30_000 };
  const worker = await bench.engine.startWorker(spec, new AbortController().signal);
  expect(await worker.load('m1', join(ml, 'model'), 30_000)).toMatchObject({ status: 200 });
  expect(await worker.load('m1', join(ml, 'model'), 30_000)).toMatchObject({ status: 409 });
  const request = { model: 'm1', body: Buffer.from('0.25,0.5,0.75,1.0'), contentType: 'text/csv', accept: 'text/csv' };
  const answer = await worker.invoke(request, 30_000);
  const [expected] = JSON.parse(await readFile(join(ml, 'expected'), 'utf8')) as number[];
  expect(Number(Buffer.from(answer.body).toString())).toBe(expected);
  expect((await worker.invoke({ ...request, model: 'm2' }, 30_000)).status).toBe(404);
  expect(await worker.unload('m1')).toMatchObject({ status: 200 });
  await worker.close();
});

test('workers die with the zygote', async () => {
  const worker = await open('dependent');
  const status = await readFile(`/proc/${worker.pid}/status`, 'utf8');
  process.kill(Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]), 'SIGKILL');
  await until(async () => !(await isAlive(worker.pid)));
  await expect(ask(worker, 'row')).rejects.toThrow(WorkerGone);
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readProject } from './load.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-check-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Shape {
  project?: string;
  registry?: string;
  environments?: Record<string, object>;
  endpoints?: Record<string, object>;
  models?: Record<string, Record<string, unknown>>;
  files?: Record<string, string>;
}

const MODEL = {
  task: 'binary',
  data: { files: 's3://bucket-of-data/rows/', target: 'churned' },
  train: { image: 'xgboost:1.7-1' },
};

/** Writes a project from plain objects (JSON is YAML) and gives its problems as one sentence each. */
async function check(shape: Shape): Promise<string[]> {
  const project = {
    project: shape.project ?? 'pricing',
    ...(shape.registry === undefined ? {} : { registry: shape.registry }),
    environments: shape.environments ?? { sandbox: { account: '111111111111' } },
    ...(shape.endpoints === undefined ? {} : { endpoints: shape.endpoints }),
  };
  const files: Record<string, string> = { 'delivery.yaml': JSON.stringify(project), ...shape.files };
  for (const [name, model] of Object.entries(shape.models ?? { churn: {} })) {
    files[`models/${name}/model.yaml`] = JSON.stringify({ model: name, ...MODEL, ...model });
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const { problems } = await readProject(folder);
  return problems.map((p) => `${p.path}: ${p.message}${p.suggestion === undefined ? '' : `; ${p.suggestion}`}`);
}

test('the project that the other tests change is valid', async () => {
  expect(await check({})).toEqual([]);
});

test('a registry must be named among several environments, and exist', async () => {
  const region = 'eu-west-1';
  const two = { one: { account: '111111111111' }, two: { account: '111111111111', endpointUrl: 'http://localhost:1' } };
  expect(await check({ environments: two })).toEqual([expect.stringContaining('registry is missing')]);
  expect(await check({ environments: two, registry: 'three' })).toEqual([
    expect.stringContaining('no environment three'),
  ]);
  const apart = { one: { account: '111111111111', region }, two: { account: '222222222222', region } };
  expect(await check({ environments: apart, registry: 'one' })).toEqual([
    expect.stringMatching(/environments.two.account: .*nothing acts on it yet/),
  ]);
  const twins = { one: { account: '111111111111' }, two: { account: '111111111111' } };
  expect(await check({ environments: twins, registry: 'one' })).toEqual([
    expect.stringContaining('the same endpoints'),
  ]);
});

test('an environment on AWS needs a role', async () => {
  const environments = { sandbox: { account: '111111111111', target: 'aws' } };
  expect(await check({ environments })).toEqual([expect.stringContaining('role is missing')]);
});

test('a model must name an endpoint that exists', async () => {
  const endpoints = { 'pricing-mme': {} };
  expect(await check({ endpoints, models: { churn: { serve: { endpoint: 'pricing-mne' } } } })).toEqual([
    'serve.endpoint: there is no endpoint pricing-mne; did you mean pricing-mme?',
  ]);
});

test('two models of one name, and names beyond what AWS takes, are refused', async () => {
  const twice = await check({ models: { churn: {}, other: { model: 'Churn' } } });
  expect(twice).toEqual([expect.stringContaining('is also described in models/churn/model.yaml')]);
  const long = await check({ project: 'p'.repeat(32), models: { ['m'.repeat(40)]: {} } });
  expect(long.filter((line) => line.includes('AWS allows 63'))).toHaveLength(1);
});

test('models of a multi-model endpoint must share its image', async () => {
  const endpoints = { shared: { image: 'xgboost:1.7-1' } };
  const serve = { endpoint: 'shared' };
  const uri = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1';
  const same = { a: { serve }, b: { serve, train: { image: uri } } };
  expect(await check({ endpoints, models: same })).toEqual([]);
  const mixed = { ...same, c: { serve, train: { image: 'xgboost:1.5-1' } } };
  expect(await check({ endpoints, models: mixed })).toEqual([
    expect.stringMatching(/^serve: c needs the image .*1\.5-1.*one image and one handler/),
  ]);
});

test('models of a multi-model endpoint must share its handler: a script and the own server do not mix', async () => {
  const endpoints = { shared: { image: 'xgboost:1.7-1' } };
  const serve = { endpoint: 'shared' };
  const models = { a: { serve }, b: { serve, train: { image: 'xgboost:1.7-1', entry: 'train.py' } } };
  // A training script alone is no mix: what it saves is served by the image's own server.
  expect(await check({ endpoints, models, files: { 'models/b/train.py': '' } })).toEqual([]);
  const files = { 'models/b/train.py': '', 'models/b/inference.py': '' };
  expect(await check({ endpoints, models, files })).toEqual([
    expect.stringMatching(/^serve: b is served by the script inference.py.* a by the own server.*one handler/),
  ]);
});

test('a real-time endpoint serves one model', async () => {
  const endpoints = { single: { mode: 'realtime' } };
  const serve = { endpoint: 'single' };
  expect(await check({ endpoints, models: { a: { serve }, b: { serve } } })).toEqual([
    expect.stringContaining('already serves a'),
  ]);
});

test('scripts, data and inputs must exist and lie inside', async () => {
  const outside = {
    train: { image: 'xgboost:1.7-1', entry: '../../../train.py' },
    data: { files: '/etc', target: 'y' },
  };
  expect(await check({ models: { churn: outside } })).toEqual([
    expect.stringContaining('data.files: /etc lies outside the project'),
    expect.stringContaining("train.entry: ../../../train.py lies outside the model's folder"),
  ]);
  const missing = {
    train: { image: 'xgboost:1.7-1', entry: 'train.py' },
    data: { files: 'rows.csv', target: 'y' },
    inputs: ['../../libs/**'],
  };
  const told = await check({ models: { churn: missing } });
  expect(told).toHaveLength(3);
  for (const line of told) expect(line).toContain('there is no');
});

test('a metric must fit the task, and be known', async () => {
  const gate = { primary: { metric: 'rmse' }, floor: { 'roc-auc': '>= 0.9' }, guardrails: { brier: {}, mae: {} } };
  expect(await check({ models: { churn: { gate } } })).toEqual([
    expect.stringMatching(/^gate.primary.metric: root mean squared error \(rmse\) does not fit a binary task/),
    'gate.floor.roc-auc: unknown metric roc-auc; did you mean roc_auc?',
    expect.stringMatching(/^gate.guardrails.mae: .* does not fit/),
  ]);
});

test('the policy cannot ask for two things at once', async () => {
  const gate = { primary: { metric: 'roc_auc', maxRegression: '1%', minImprovement: 0 } };
  expect(await check({ models: { churn: { gate } } })).toEqual([expect.stringContaining('contradict each other')]);
});

test('shares of a split add up and leave rows to train on and to judge by', async () => {
  const split = async (value: object): Promise<string> =>
    (await check({ models: { churn: { data: { ...MODEL.data, split: value } } } })).join('\n');
  expect(await split({ test: 0.3 })).toBe('');
  expect(await split({ train: 0.5, validation: 0.1, test: 0.3 })).toContain('add up to 0.9');
  expect(await split({ test: 1 })).toContain('no rows are left to train on');
  expect(await split({ test: 0 })).toContain('no rows are held out');
  expect(await split({ by: 'time' })).toContain('needs the column');
  expect(await split({ by: 'group' })).toContain('needs the column');
  expect(await split({ by: 'time', column: 'day', stratify: true })).toContain('stratified');
  expect(await split({ by: 'none' })).toContain('nothing acts on it yet');
});

test('an image is a known name or a URI, and one without an algorithm needs a script', async () => {
  const image = async (value: string): Promise<string> =>
    (await check({ models: { churn: { train: { image: value } } } })).join('\n');
  expect(await image('xgbost:1.7-1')).toContain('did you mean xgboost:1.7-1?');
  expect(await image('sklearn:1.2-1')).toContain('add train.entry');
  expect(await image('docker.io/library/python:3')).toContain('neither a known short name');
});

test('the objective of the built-in algorithm is a metric that it reports, with its own goal', async () => {
  const train = (objective: object, more: object = {}) =>
    check({ models: { churn: { train: { image: 'xgboost:1.7-1', objective, ...more } } } });
  expect(await train({ metric: 'validation:auc', goal: 'maximize' })).toEqual([]);
  expect(await train({ metric: 'validation:auc', goal: 'minimize' })).toEqual([
    'train.objective.goal: validation:auc gets better as you maximize it; write goal: maximize',
  ]);
  expect(await train({ metric: 'validation:acu', goal: 'maximize' })).toEqual([
    'train.objective.metric: the built-in algorithm reports no validation:acu; did you mean validation:auc?',
  ]);
  const other = { hyperparameters: { eval_metric: 'logloss' } };
  expect(await train({ metric: 'validation:auc', goal: 'maximize' }, other)).toEqual([
    expect.stringContaining('eval_metric is logloss'),
  ]);
});

test('an objective of a script is refused, because nothing acts on it yet', async () => {
  const train = { image: 'xgboost:1.7-1', entry: 'train.py', objective: { metric: 'auc', goal: 'maximize' } };
  expect(await check({ models: { churn: { train } }, files: { 'models/churn/train.py': '' } })).toEqual([
    expect.stringMatching(/^train.objective: .*nothing acts on it yet for a script/),
  ]);
});

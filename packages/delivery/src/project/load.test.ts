import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadProject, ProjectInvalid, readProject } from './load.ts';
import type { Problem } from './model.ts';
import { resolveModel } from './resolve.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-project-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const PROJECT = `project: pricing
registry: sandbox
environments:
  sandbox:
    account: "111111111111"
    region: eu-west-1
endpoints:
  shared: { mode: multi-model, image: xgboost:1.7-1, instance: ml.m5.xlarge }
`;
const MODEL = `model: demand
task: regression
data: { files: data.csv, target: units, id: order_id }
train: { image: xgboost:1.7-1, hyperparameters: { num_round: 60, eta: 0.1, objective: "reg:squarederror" } }
gate: { primary: { metric: rmse, maxRegression: 2% }, floor: { r2: ">= 60%" } }
serve: { endpoint: shared }
`;

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** A project that is valid but for what `files` replace. */
async function problemsOf(files: Record<string, string>): Promise<Problem[]> {
  const base = { 'delivery.yaml': PROJECT, 'models/demand/model.yaml': MODEL, 'models/demand/data.csv': 'units\n1\n' };
  await write({ ...base, ...files });
  return (await readProject(folder)).problems;
}

const inModel = (text: string): Promise<Problem[]> => problemsOf({ 'models/demand/model.yaml': text });
const inProject = (text: string): Promise<Problem[]> => problemsOf({ 'delivery.yaml': text });

test('a project and its models are read, and every default is filled in', async () => {
  expect(await problemsOf({})).toEqual([]);
  const project = await loadProject(folder);
  expect(project).toMatchObject({ name: 'pricing', registry: 'sandbox', models: [{ name: 'demand' }] });
  expect(resolveModel(project, 'demand')).toMatchObject({
    group: 'pricing-demand',
    environment: { account: '111111111111', region: 'eu-west-1', target: 'local', requires: 'approved' },
    data: {
      files: { kind: 'project', path: 'models/demand/data.csv' },
      split: { by: 'random', train: 0.7, validation: 0.15, test: 0.15, seed: 0 },
    },
    train: {
      image: '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1',
      mode: 'algorithm',
      hyperparameters: { num_round: '60', eta: '0.1', objective: 'reg:squarederror' },
    },
    gate: {
      primary: { metric: 'rmse', rule: 'non-inferior', margin: 0.02 },
      confidence: 0.95,
      floors: [{ metric: 'r2', operator: '>=', threshold: 0.6 }],
      minRows: 500,
      onInconclusive: 'hold',
    },
    serve: { endpoint: 'shared', mode: 'multi-model', instance: 'ml.m5.xlarge', count: 1 },
  });
});

test('slipway.json says the same as delivery.yaml, and both together are refused', async () => {
  const json = { project: 'pricing', environments: { sandbox: { account: '111111111111' } } };
  const model = MODEL.replace('serve: { endpoint: shared }\n', '');
  const files = {
    'slipway.json': JSON.stringify(json),
    'models/demand/model.yaml': model,
    'models/demand/data.csv': 'a',
  };
  await write(files);
  expect(await loadProject(folder)).toMatchObject({ file: 'slipway.json', registry: 'sandbox' });
  await write({ 'delivery.yaml': PROJECT });
  await expect(loadProject(folder)).rejects.toThrow(/delivery.yaml or slipway.json/);
});

test('an unknown key names its line, column and the key that was meant', async () => {
  const problems = await inModel(MODEL.replace('target: units', 'taget: units'));
  expect(problems[0]).toEqual({
    file: 'models/demand/model.yaml',
    line: 3,
    column: 26,
    path: 'data.taget',
    message: 'unknown key taget',
    suggestion: 'did you mean target?',
  });
});

test('everything that is wrong is told at once, in the order of the lines', async () => {
  const problems = await inModel(`model: demand
task: regresion
owner: 7
data: { files: data.csv, target: units, split: { by: random, test: 1.5 } }
train: { image: xgboost:1.7-2, hyperparameter: {} }
gate: { floor: { r2: 0.6 } }
`);
  const told = problems.map(({ line, path, suggestion }) => [line, path, suggestion]);
  expect(told).toEqual([
    [2, 'task', 'did you mean regression?'],
    [3, 'owner', 'put it in quotes: "7"'],
    [4, 'data.split.test', undefined],
    [5, 'train.hyperparameter', 'did you mean hyperparameters?'],
    [6, 'gate.floor.r2', 'put it in quotes: "0.6"'],
  ]);
});

test('an account without quotes, which YAML reads as a number without its zeros, is shown in quotes', async () => {
  const problems = await inProject(PROJECT.replace('"111111111111"', '000000000000'));
  expect(problems).toMatchObject([
    { line: 5, column: 14, path: 'environments.sandbox.account', suggestion: 'put it in quotes: "000000000000"' },
  ]);
});

test('a key that is understood but acted on by nothing yet is refused with a sentence that says so', async () => {
  const problems = await inModel(`${MODEL}shadow: { traffic: 50% }
train2: {}
`);
  expect(problems.map(({ path, message }) => [path, message])).toEqual([
    ['shadow', '`shadow` is understood but nothing acts on it yet; remove it to go on'],
    ['train2', 'unknown key train2'],
  ]);
  const value = await inModel(MODEL.replace('serve: { endpoint: shared }', 'serve: { mode: serverless }'));
  expect(value).toMatchObject([
    { path: 'serve.mode', message: expect.stringContaining('serve.mode: serverless') as string },
  ]);
});

const UNREADABLE: [string, string, RegExp][] = [
  ['a key that stands twice', `${MODEL}task: binary\n`, /stands twice/],
  ['text that is no YAML', 'model: [1, 2\n', /not readable as YAML/],
  ['an empty file', '# nothing\n', /empty/],
  ['two documents', `${MODEL}---\n${MODEL}`, /not readable as YAML/],
  ['a billion laughs', bomb(), /aliases unfold to too much/],
  ['deep nesting', `model: ${'['.repeat(100_000)}`, /levels deep/],
  ['deep nesting by indentation', nested(1000), /levels deep/],
  ['deep nesting by dashes', `inputs:\n${'- '.repeat(200_000)}a`, /levels deep/],
  ['a huge file', `owner: ${'x'.repeat(1024 * 1024)}`, /larger than 1 MiB/],
  ['a tag that is not known', 'model: !!python/object:os.system demand\n', /./],
];

function bomb(): string {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
  return `l0: &l0 lol\n${levels.join('\n')}\n`;
}

function nested(depth: number): string {
  return Array.from({ length: depth }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
}

test.each(UNREADABLE)('%s is refused with a sentence', async (_, text, message) => {
  const problems = await inModel(text);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.map((problem) => problem.message).join('\n')).toMatch(message);
});

test('anchors and aliases may share a block, and a problem inside points to where it is written', async () => {
  const text = `${PROJECT}defaults:
  train: &common { instance: ml.m5.large, instanse: 1 }
  serve: { instance: ml.m5.large }
`;
  expect(await inProject(text)).toMatchObject([{ line: 10, path: 'defaults.train.instanse' }]);
});

test('names like __proto__ are unknown keys and nothing else', async () => {
  const problems = await inModel(`${MODEL}__proto__: { task: binary }\nconstructor: 1\n`);
  expect(problems.map(({ path }) => path)).toEqual(['__proto__', 'constructor']);
  expect(({} as { task?: string }).task).toBeUndefined();
});

test('the thrown error carries every problem', async () => {
  await problemsOf({ 'models/demand/model.yaml': 'model: demand\n' });
  const error = await loadProject(folder).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ProjectInvalid);
  expect((error as ProjectInvalid).problems.map(({ message }) => message)).toEqual([
    'task is missing',
    'data.files is missing',
    'data.target is missing',
    'train.image is missing',
  ]);
});

test('a folder without a project, and a project without models, say what to do', async () => {
  expect((await readProject(folder)).problems).toMatchObject([{ suggestion: 'make one with `slipway init`' }]);
  await write({ 'delivery.yaml': PROJECT });
  expect((await readProject(folder)).problems).toMatchObject([
    {
      message: expect.stringContaining('no models') as string,
      suggestion: expect.stringContaining('slipway init') as string,
    },
  ]);
});

test('a model file that is a link out of the project is refused', async () => {
  await write({ 'delivery.yaml': PROJECT, 'models/other/placeholder': '' });
  await symlink('/etc/passwd', join(folder, 'models/other/model.yaml'));
  expect((await readProject(folder)).problems).toMatchObject([
    { file: 'models/other/model.yaml', message: expect.stringContaining('leaves the project') as string },
  ]);
});

test('fifty models are read well within a second', async () => {
  const files: Record<string, string> = { 'delivery.yaml': PROJECT };
  for (let i = 0; i < 50; i++) {
    files[`models/m${i}/model.yaml`] = MODEL.replace('demand', `m${i}`);
    files[`models/m${i}/data.csv`] = 'units\n';
  }
  await write(files);
  const from = process.hrtime.bigint();
  const project = await loadProject(folder);
  expect(project.models).toHaveLength(50);
  expect(Number(process.hrtime.bigint() - from) / 1e6).toBeLessThan(2000);
});

import { createTestServer, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest';
import { handOf, SmallProject } from './small-project.ts';

let server: TestServer;
let project: SmallProject;

beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  project = await SmallProject.make();
});
afterEach(() => project.remove());

test('a script that raises: the end of its log, its file and its line', async () => {
  await project.write(
    'models/churn/train.py',
    'import os\n\ndef main():\n    raise ValueError("no such luck")\n\nmain()\n',
  );
  const hand = await handOf(server, project);
  const failure = hand.train('churn');
  await expect(failure).rejects.toMatchObject({ name: 'JobFailed', kind: 'training', file: 'train.py', line: 4 });
  await failure.catch((error: { logTail: string[]; logStream: string }) => {
    expect(error.logTail.join('\n')).toContain('ValueError: no such luck');
    expect(error.logStream).toMatch(/algo-1/);
  });
  hand.close();
});

test('a job that failed is tried again under another name once its cause is gone from outside', async () => {
  const script = 'import os, sys\nsys.exit(3)\n';
  await project.write('models/churn/train.py', script);
  const hand = await handOf(server, project);
  await expect(hand.train('churn')).rejects.toMatchObject({ name: 'JobFailed' });
  const second = await hand.train('churn').catch((error: { job: string }) => error.job);
  expect(second).toMatch(/-a2$/);
  hand.close();
});

test('data that cannot be used: the command says what prepare.py found', async () => {
  await project.write('models/price/data.csv', 'id,a,b,price\n');
  const hand = await handOf(server, project);
  await expect(hand.train('price')).rejects.toThrow(/The data set has no rows, only a heading/);
  hand.close();
});

test('a gate that fails registers nothing, and says so again when it is run again', async () => {
  await project.edit('models/churn/model.yaml', 'roc_auc: ">= 0.6"', 'roc_auc: ">= 0.9999"');
  const hand = await handOf(server, project);
  const first = await hand.train('churn');
  expect(first.outcome).toBe('failed');
  expect(first.registered).toBeUndefined();
  expect(await hand.train('churn')).toMatchObject({ outcome: 'failed', found: true });
  hand.close();
});

test('where an environment names approvers, nobody approves what they registered themselves', async () => {
  await project.edit('delivery.yaml', 'requires: approved }', 'requires: approved, approvers: [li, ana] }');
  await project.edit('models/churn/model.yaml', 'num_round: 20', 'num_round: 25');
  const ana = await handOf(server, project, 'ana');
  const { registered } = await ana.train('churn');
  const version = String(registered?.version);
  await expect(ana.approve({ model: 'churn', version })).rejects.toThrow(/someone else approves it/);
  const kim = await handOf(server, project, 'kim');
  await expect(kim.approve({ model: 'churn', version })).rejects.toThrow(/not among the approvers/);
  const li = await handOf(server, project, 'li');
  expect(await li.approve({ model: 'churn', version })).toMatchObject({ changed: true });
  for (const hand of [ana, kim, li]) hand.close();
});

test('approving what has not passed needs an override with a reason', async () => {
  await project.edit('models/churn/model.yaml', 'minRows: 50', 'minRows: 300');
  const hand = await handOf(server, project);
  const result = await hand.train('churn');
  expect(result.outcome).toBe('inconclusive');
  const version = String(result.registered?.version);
  await expect(hand.approve({ model: 'churn', version })).rejects.toThrow(/says inconclusive/);
  await expect(hand.approve({ model: 'churn', version, override: true })).rejects.toThrow(/needs a reason/);
  const decided = await hand.approve({ model: 'churn', version, override: true, reason: 'a pilot' });
  expect(decided).toMatchObject({ changed: true, override: true, gate: 'inconclusive' });
  hand.close();
});

test('two commands that train the same thing at once share its jobs and register one version', async () => {
  await project.edit('models/churn/model.yaml', 'num_round: 20', 'num_round: 35');
  const clone = await project.clone();
  const hands = [await handOf(server, project, 'ana'), await handOf(server, clone, 'li')];
  const results = await Promise.all(hands.map((hand) => hand.train('churn')));
  expect(results[0]?.registered).toEqual(results[1]?.registered);
  expect(results[0]?.jobs.train.name).toBe(results[1]?.jobs.train.name);
  for (const hand of hands) hand.close();
  await clone.remove();
});

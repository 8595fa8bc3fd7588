import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, slipway, slipwayUp } from '../support/cli.ts';
import { pythonClients } from '../support/python-clients.ts';

/** Requests of the server's own log that could have changed something. */
async function changingRequests(project: string): Promise<readonly string[]> {
  const text = await readFile(join(project, '.slipway', 'requests.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { changes: boolean; service: string; operation: string })
    .filter(({ changes }) => changes)
    .map(({ service, operation }) => `${service}.${operation}`);
}

describe('slipway demo', () => {
  let parent: string;
  let project: string;

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'slipway-demo-'));
    project = join(parent, 'slipway-demo');
  });
  afterAll(async () => await rm(parent, { recursive: true, force: true }));

  it('takes two models from CSV to predictions that equal the downloaded artifacts’', async () => {
    const ran = await slipway(['demo'], { cwd: parent });
    expect(ran.stderr + ran.stdout).toContain('equal those of the downloaded artifacts');
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toMatch(/breast-cancer +1 +roc_auc 0\.9\d+/);
    expect(ran.stdout).toMatch(/diabetes +1 +rmse \d/);
    expect(ran.stdout).toContain('stands in for xgboost:1.7-1');
  });

  it('finds its own work on a second run and sends nothing that changes anything', async () => {
    const before = await changingRequests(project);
    expect(before).toContain('sagemaker.CreateTrainingJob');
    const ran = await slipway(['demo'], { cwd: parent });
    expect(ran.stdout).toContain('Everything was there already');
    expect(ran.exitCode).toBe(0);
    expect((await changingRequests(project)).slice(before.length)).toEqual([]);
  });

  it('prints three commands that run as printed: change, train against the champion, approve and apply', async () => {
    const shown = await slipway(['demo'], { cwd: parent });
    const commands = shown.stdout
      .slice(shown.stdout.indexOf('Try next'))
      .split('\n')
      .slice(1)
      .filter((line) => line.startsWith('  '))
      .map((line) => line.trim());
    expect(commands).toHaveLength(3);
    // A shell function stands for the command that npx or a global install would give.
    const shell = (command: string): string =>
      execFileSync('bash', ['-c', `slipway() { "${process.execPath}" "${BIN}" "$@"; }\n${command}`], {
        cwd: parent,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    shell(commands[0] ?? '');
    const trained = shell(commands[1] ?? '');
    expect(trained).toMatch(/Against the champion \(version 1\)/);
    expect(trained).toMatch(/passed|inconclusive/);
    const override = trained.includes('inconclusive') ? ' --override --reason "the demo goes on"' : '';
    const applied = shell((commands[2] ?? '').replace(' && ', `${override} && `));
    expect(applied).toMatch(/diabetes +released/);
    const status = await slipway(['status', '--project', 'slipway-demo', '--json'], { cwd: parent });
    const { models } = JSON.parse(status.stdout) as {
      models: { model: string; environments: { live?: { version: number } }[] }[];
    };
    expect(models.find(({ model }) => model === 'diabetes')?.environments[0]?.live?.version).toBe(2);
  });

  it('shows plain clients what the demo made', async () => {
    const { bin } = await pythonClients();
    const ran = await slipway(['exec', '--', join(bin, 'aws'), 'sagemaker', 'list-endpoints', '--output', 'json'], {
      cwd: project,
    });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      Endpoints: [{ EndpointName: 'clinic', EndpointStatus: 'InService' }],
    });
  });

  it('ends the same where a host allows no private mounts', async () => {
    const ran = await slipway(['demo', 'without-mounts'], { cwd: parent, env: { SLIPWAY_ISOLATION: 'folder' } });
    expect(ran.stdout).toContain('equal those of the downloaded artifacts');
    expect(ran.exitCode).toBe(0);
  });

  it('refuses a folder that holds something else', async () => {
    const ran = await slipway(['demo', parent], { cwd: parent });
    expect(ran.exitCode).toBe(64);
    expect(ran.stderr).toContain('is not empty and holds no demo');
  });

  it('uses the project’s running server and leaves it running', async () => {
    const up = await slipwayUp(project);
    const ran = await slipway(['demo'], { cwd: parent });
    expect(ran.stdout).toContain('the one that was running here goes on');
    expect((await fetch(`${up.url}/_slipway/health`)).status).toBe(200);
    expect(await up.stop()).toBe(0);
    expect(up.output()).toContain('Nothing was running');
  });
});

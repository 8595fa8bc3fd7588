import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BIN, slipway, slipwayUp } from '../support/cli.ts';
import { pythonClients } from '../support/python-clients.ts';
import { expectRefusal, newProject, type Project } from './project.ts';

let project: Project;
afterEach(async () => await project.remove());

describe('a training script', () => {
  it('that raises shows its file and line, the end of its log, and a command that prints the whole of it', async () => {
    project = await newProject();
    await project.script('def main():\n    raise ValueError("no idea")\n\n\nmain()\n');
    const ran = await project.run('train');
    expectRefusal(ran, 1, /The training job \S+ ended Failed\./);
    expect(ran.stderr).toContain('It failed at train.py:2.');
    expect(ran.stderr).toContain('The end of its log:');
    expect(await project.changes()).not.toContain('sagemaker.CreateModelPackage');
    const command = /slipway exec -- aws logs .*$/m.exec(ran.stderr)?.[0] ?? '';
    const { bin } = await pythonClients();
    const log = execFileSync('bash', ['-c', `slipway() { "${process.execPath}" "${BIN}" "$@"; }\n${command}`], {
      cwd: project.folder,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` },
    });
    expect(log).toContain('ValueError: no idea');
  });

  it('that exits with a code shows the code and what it printed', async () => {
    project = await newProject();
    await project.script('import sys\nprint("about to give up")\nsys.exit(3)\n');
    const ran = await project.run('train');
    expectRefusal(ran, 1, /ExitCode 3/);
    expect(ran.stderr).toContain('about to give up');
  });

  it('that hangs is ended at its time-out, which the error names', async () => {
    project = await newProject();
    await project.script('import time\nprint("asleep", flush=True)\ntime.sleep(600)\n', '\n  timeout: 2s');
    const ran = await project.run('train');
    expectRefusal(ran, 1, /longer than its limit of 2 s \(train\.timeout\)/);
    expect(ran.stderr).toContain('asleep');
  });
});

describe('a data set', () => {
  const refused = async (change: (project: Project) => Promise<void>, what: RegExp, exitCode = 1): Promise<void> => {
    project = await newProject();
    await change(project);
    expectRefusal(await project.run('train'), exitCode, what);
    expect(await project.changes()).not.toContain('sagemaker.CreateTrainingJob');
  };

  it('without rows is refused', async () => {
    await refused((made) => made.data('id,area_m2,price\n'), /no rows, only a heading/);
  });

  it('that is an empty file is refused', async () => {
    await refused((made) => made.data(''), /data\.csv is empty/);
  });

  it('that is no text is refused', async () => {
    const bytes = Uint8Array.from({ length: 4000 }, (_, i) => (i * 97 + 128) % 256);
    await refused((made) => made.data(bytes), /not a UTF-8 CSV file/);
  });

  it('of one class is refused', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => `${i},${(i * 7) % 31},1`).join('\n');
    await refused(async (made) => {
      await made.data(`id,area_m2,price\n${rows}\n`);
      await made.edit(
        [/task: regression/, 'task: binary'],
        [/ {2}objective: \{.*\n/, ''],
        [/reg:squarederror/, 'binary:logistic'],
        [/primary: \{.*\}/, 'primary: { metric: roc_auc }'],
        [/floor: \{.*\}/, 'floor: { roc_auc: ">= 0.5" }'],
      );
    }, /class/);
  });

  it('without the target column is refused with the nearest name', async () => {
    await refused((made) => made.edit([/target: price/, 'target: prise']), /Did you mean 'price'\?/);
  });

  it('that does not exist is refused before anything runs', async () => {
    const gone = async (made: Project): Promise<void> => await rm(join(made.folder, 'models/house-prices/data.csv'));
    await refused(gone, /model\.yaml:\d+:\d+ {2}data\.files: there is no data\.csv/, 64);
    expect(await project.changes()).toEqual([]);
  });
});

describe('a model file', () => {
  it('with a typo is refused with line, column and the nearest key, by every command', async () => {
    project = await newProject();
    await project.edit([/primary:/, 'primry:']);
    for (const command of ['train', 'status', 'apply']) {
      expectRefusal(
        await project.run(command),
        64,
        /model\.yaml:\d+:3 {2}gate\.primry: unknown key primry; did you mean primary\?/,
      );
    }
    expect(await project.changes()).toEqual([]);
  });

  it('with a key that nothing acts on yet is refused with a sentence that says so', async () => {
    project = await newProject();
    await project.script('', '\n  objective: { metric: rmse, goal: minimize }');
    expectRefusal(await project.run('train'), 64, /train\.objective: .*nothing acts on it yet for a script/);
  });

  it('with an objective that goes the wrong way is refused', async () => {
    project = await newProject();
    await project.edit([/goal: minimize/, 'goal: maximize']);
    expectRefusal(await project.run('train'), 64, /train\.objective\.goal: .*write goal: minimize/);
  });
});

describe('a gate', () => {
  it('that fails registers nothing and exits with 3', async () => {
    project = await newProject();
    await project.edit([/>= 0\.5/, '>= 0.999']);
    const ran = await project.run('train');
    expect(ran.exitCode).toBe(3);
    expect(ran.stdout).toContain('not >= 0.999');
    expect(ran.stdout).toContain('Nothing was registered');
    expect(await project.changes()).not.toContain('sagemaker.CreateModelPackage');
  });

  it('that cannot decide registers a pending version, exits with 7, and asks for an override with a reason', async () => {
    project = await newProject();
    await project.edit([/minRows: 50/, 'minRows: 200']);
    const ran = await project.run('train', '--json');
    expect(ran.exitCode).toBe(7);
    const { results } = JSON.parse(ran.stdout) as { results: { outcome: string; registered?: { arn: string } }[] };
    expect(results[0]?.outcome).toBe('inconclusive');
    expect(results[0]?.registered?.arn).toMatch(/^arn:aws:sagemaker:us-east-1:000000000000:model-package\//);
    const before = await project.changes();
    expectRefusal(await project.run('approve', 'house-prices', '1'), 64, /says inconclusive, not passed/);
    expectRefusal(await project.run('approve', 'house-prices', '1', '--override'), 64, /needs a reason/);
    expect(await project.changes()).toEqual(before);
    const overridden = await project.run(
      'approve',
      'house-prices',
      '1',
      '--override',
      '--reason',
      'few rows, low risk',
    );
    expect(overridden.exitCode).toBe(0);
    expect(overridden.stdout).toContain('against the gate');
  });
});

describe('on a trained project', () => {
  let trained: Project;
  beforeAll(async () => {
    trained = await newProject();
    expect((await trained.run('train')).exitCode).toBe(0);
  });
  afterAll(async () => await trained.remove());

  it('names that do not exist are refused, and nothing changes', async () => {
    project = await newProject(trained);
    const before = await project.changes();
    expectRefusal(await project.run('train', 'house-price'), 64, /no model `house-price`/);
    expectRefusal(await project.run('train', '--env', 'production'), 64, /no environment `production`/);
    expectRefusal(await project.run('approve', 'nothing', '1'), 64, /no model nothing/);
    expectRefusal(await project.run('approve', 'house-prices', '9'), 64, /no version 9/);
    expectRefusal(await project.run('approve', 'house-prices', 'one'), 64, /no version one/);
    expect(await project.changes()).toEqual(before);
  });

  it('nothing can be asked, applied or taken back before a release', async () => {
    project = await newProject(trained);
    const before = await project.changes();
    expectRefusal(await project.send('1,2,3,4,5', 'invoke', 'house-prices'), 64, /not released in sandbox/);
    expectRefusal(await project.run('rollback', 'house-prices'), 64, /nothing to roll back/);
    const applied = await project.run('apply');
    expect(applied.exitCode).toBe(4);
    expect(applied.stdout).toContain('no version is approved');
    expect(applied.stdout).toContain('slipway approve house-prices');
    expect(await project.changes()).toEqual(before);
  });

  it('a rejected version is not applied, and approving twice changes nothing', async () => {
    project = await newProject(trained);
    expect((await project.run('approve', 'house-prices', '1')).exitCode).toBe(0);
    const before = await project.changes();
    const again = await project.run('approve', 'house-prices', '1', '--json');
    expect(again.exitCode).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: false, arn: expect.stringMatching(/\/1$/) as string });
    expect(await project.changes()).toEqual(before);
    expect((await project.run('reject', 'house-prices', '1', '-m', 'wrong units')).exitCode).toBe(0);
    expect((await project.run('apply')).exitCode).toBe(4);
    expect(await project.changes()).not.toContain('sagemaker.CreateEndpoint');
  });

  it('an address that nobody answers at is told at once', async () => {
    project = await newProject(trained);
    expectRefusal(await project.run('status', '--endpoint-url', 'http://127.0.0.1:9'), 1, /No server answers at/);
    expectRefusal(await project.run('status', '--endpoint-url', 'there'), 64, /not the address of a server/);
  });

  it('a released model refuses what it cannot read, and the first version has nothing to go back to', async () => {
    project = await newProject(trained);
    await project.run('approve', 'house-prices', '1');
    expect((await project.run('apply')).exitCode).toBe(0);
    expect((await project.send('95.5,4,20,3.2,1', 'invoke', 'house-prices')).stdout).toMatch(/^\d+\.\d+\n$/);
    const ask = async (input: string, ...more: string[]) =>
      await project.send(input, 'invoke', 'house-prices', ...more);
    expectRefusal(await ask('1,2,3,4,5,6,7'), 1, /Number of columns does not match/);
    expectRefusal(await ask('a,b,c,d,e'), 1, /could not convert string to float/);
    expectRefusal(await ask('1,2,3,4,5', '--content-type', 'image/png'), 1, /not an accepted ContentType/);
    expectRefusal(await ask('\n'), 64, /nothing to send/);
    expectRefusal(await ask('', 'rows.csv'), 64, /no file rows\.csv/);
    expectRefusal(await project.run('rollback', 'house-prices'), 64, /no earlier healthy version/);
  });

  it('a second clone with no cache finds the work on the server and sends nothing that changes anything', async () => {
    project = await newProject(trained);
    const up = await slipwayUp(project.folder);
    const clone = await newProject();
    const before = await project.changes();
    const ran = await slipway(['train', '--endpoint-url', up.url], { cwd: clone.folder });
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toContain('an earlier run did all of this');
    expect((await slipway(['status', '--endpoint-url', up.url], { cwd: clone.folder })).exitCode).toBe(0);
    await up.stop();
    await clone.remove();
    expect(await project.changes()).toEqual(before);
  });

  it('output that nobody reads to its end is no error, and holds no colour', async () => {
    project = await newProject(trained);
    const shown = execFileSync(
      'bash',
      ['-c', `set -o pipefail; "${process.execPath}" "${BIN}" status 2>&1 | head -1; echo "\${PIPESTATUS[0]}"`],
      { cwd: project.folder, encoding: 'utf8' },
    );
    expect(shown).toMatch(/^target: local .*\n0\n$/);
    const ran = await project.run('train');
    expect(ran.stdout + ran.stderr).not.toContain('\u001b');
  });
});

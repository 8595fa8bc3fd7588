import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { slipway, slipwayUp } from '../support/cli.ts';
import { pythonClients } from '../support/python-clients.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true, maxRetries: 3 }));

describe('slipway init and validate', () => {
  it('make a project that is valid, and refuse to write over one', async () => {
    const made = await slipway(['init', 'pricing'], { cwd: folder });
    expect(made.exitCode).toBe(0);
    const valid = await slipway(['validate', '--json'], { cwd: join(folder, 'pricing') });
    expect(JSON.parse(valid.stdout)).toMatchObject({ valid: true, models: ['house-prices'] });
    const again = await slipway(['init', 'pricing'], { cwd: folder });
    expect(again.exitCode).toBe(64);
    expect(again.stderr).toContain('nothing was written');
  });

  it('name the line, the column and the nearest key of a typo', async () => {
    await slipway(['init', '.'], { cwd: folder });
    const file = join(folder, 'models/house-prices/model.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('floor:', 'flor:'));
    const ran = await slipway(['validate'], { cwd: folder });
    expect(ran.exitCode).toBe(64);
    expect(ran.stdout).toMatch(/models\/house-prices\/model\.yaml:\d+:\d+ .*flor/);
    expect(ran.stdout).toContain('floor');
  });

  it('say that a key nothing acts on yet is one', async () => {
    await slipway(['init', '.'], { cwd: folder });
    const file = join(folder, 'models/house-prices/model.yaml');
    await writeFile(file, `${await readFile(file, 'utf8')}\nshadow: { traffic: 10%, for: 1h }\n`);
    const ran = await slipway(['validate'], { cwd: folder });
    expect(ran.exitCode).toBe(64);
    expect(ran.stdout).toMatch(/shadow.*nothing acts on it yet/);
  });
});

describe('slipway up', () => {
  it('explains itself when a second one starts on the folder', async () => {
    const up = await slipwayUp(folder);
    const second = await slipway(['up', '--port', '0'], { cwd: folder });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toMatch(/Process \d+ /);
    expect(second.stderr).toContain('What to do');
    expect(await up.stop()).toBe(0);
  });

  it('refuses any address but loopback', async () => {
    const ran = await slipway(['up', '--host', '0.0.0.0', '--port', '0'], { cwd: folder });
    expect(ran.exitCode).not.toBe(0);
    expect(ran.stderr).toContain('does not listen on 0.0.0.0');
  });

  it('says what to do when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const ran = await slipway(['up', '--port', String(port)], { cwd: folder });
    other.close();
    expect(ran.exitCode).not.toBe(0);
    expect(ran.stderr).toContain(String(port));
    expect(ran.stderr).toContain('What to do');
  });

  it('gives a shell its variables', async () => {
    const up = await slipwayUp(folder, ['--data', '.slipway']);
    const ran = await slipway(['env', '--data', '.slipway'], { cwd: folder });
    expect(ran.stdout).toContain(`export AWS_ENDPOINT_URL=${up.url}\n`);
    await up.stop();
  });
});

const CREATE_WITH_OWN_IMAGE = `
import boto3
try:
    answer = boto3.client("sagemaker").create_training_job(
        TrainingJobName="own",
        AlgorithmSpecification={"TrainingImage": "111111111111.dkr.ecr.us-east-1.amazonaws.com/my-xgboost:2", "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::000000000000:role/x",
        OutputDataConfig={"S3OutputPath": "s3://b/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    print(answer["TrainingJobArn"])
except Exception as error:
    print(error)
`;

describe('slipway exec', () => {
  it('runs a plain script outside any project, gives its exit code, and leaves nothing behind', async () => {
    const { python } = await pythonClients();
    const ran = await slipway(
      [
        'exec',
        '--',
        python,
        '-c',
        'import boto3; print(boto3.client("sts").get_caller_identity()["Account"]); exit(3)',
      ],
      { cwd: folder },
    );
    expect(ran.stdout).toBe('000000000000\n');
    expect(ran.exitCode).toBe(3);
  });

  it('runs an image of the user’s own by the project’s images.yaml, and says how where there is none', async () => {
    await slipway(['init', '.'], { cwd: folder });
    const { python } = await pythonClients();
    const script = join(folder, 'train.py');
    await writeFile(script, CREATE_WITH_OWN_IMAGE);
    const unknown = await slipway(['exec', '--', python, script], { cwd: folder });
    expect(unknown.stdout).toContain('with a line in images.yaml');
    await writeFile(join(folder, 'images.yaml'), '"*/my-xgboost:*": { framework: xgboost, version: 1.7-1 }\n');
    const known = await slipway(['exec', '--', python, script], { cwd: folder });
    expect(known.stdout).toBe('arn:aws:sagemaker:us-east-1:000000000000:training-job/own\n');
    await writeFile(join(folder, 'images.yaml'), '{{{\n');
    const broken = await slipway(['exec', '--', python, script], { cwd: folder });
    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toContain('images.yaml cannot be used');
  });

  it('says when the command does not exist', async () => {
    const ran = await slipway(['exec', '--', 'no-such-command'], { cwd: folder });
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain('`no-such-command` was not found');
  });
});

describe('the command line', () => {
  it('is called from any folder by the path that the README names', async () => {
    const bin = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
    const ran = spawnSync('slipway', ['--version'], {
      cwd: folder,
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
    });
    expect(ran.stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('answers a typo with a suggestion and exit code 64', async () => {
    const ran = await slipway(['stauts'], { cwd: folder });
    expect(ran.exitCode).toBe(64);
    expect(ran.stderr).toContain('status');
  });

  it('says how to start when there is no project', async () => {
    const ran = await slipway(['train'], { cwd: folder });
    expect(ran.exitCode).toBe(64);
    expect(ran.stderr).toContain('slipway init');
  });
});

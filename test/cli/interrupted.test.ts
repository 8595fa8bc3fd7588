import { ListModelsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BIN, slipwayUp } from '../support/cli.ts';
import { pythonClients } from '../support/python-clients.ts';
import { newProject, type Project } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await newProject();
});
afterEach(async () => await project.remove());

const WAIT = { timeout: 60_000, interval: 50 };

interface Started {
  readonly child: ChildProcess;
  output(): string;
  readonly ended: Promise<number | null>;
}

/** Starts `slipway` in the project and lets it run. */
function start(...args: string[]): Started {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: project.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => output, ended };
}

/** A script that says when it has begun, and ends when it is told to. */
async function patientScript(): Promise<{ begun(): Promise<void>; goOn(): Promise<void> }> {
  const begun = join(project.folder, 'begun');
  const goOn = join(project.folder, 'go-on');
  await project.script(`import os, time
import pandas as pd, xgboost

open(${JSON.stringify(begun)}, "a").write("x")
while not os.path.exists(${JSON.stringify(goOn)}):
    time.sleep(0.05)
rows = pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), header=None)
data = xgboost.DMatrix(rows.iloc[:, 1:].to_numpy(), label=rows.iloc[:, 0].to_numpy())
booster = xgboost.train({"max_depth": 4, "eta": 0.1}, data, num_boost_round=80)
booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model"))
`);
  return {
    begun: async () => await vi.waitFor(() => expect(existsSync(begun)).toBe(true), WAIT),
    goOn: async () => await writeFile(goOn, ''),
  };
}

async function trainings(): Promise<number> {
  return (await project.changes()).filter((name) => name === 'sagemaker.CreateTrainingJob').length;
}

it('Ctrl-C while training leaves the job running, and the same command takes it up', async () => {
  const script = await patientScript();
  const first = start('train');
  await script.begun();
  first.child.kill('SIGINT');
  expect(await first.ended).toBe(130);
  expect(first.output()).toMatch(/the training job \S+ goes on/);
  await script.goOn();
  const again = await project.run('train');
  expect(again.exitCode).toBe(0);
  expect(again.stdout).toContain('version 1');
  expect(await trainings()).toBe(1);
});

it('Ctrl-C of the server says that the job goes on, and the next one takes it up', async () => {
  const script = await patientScript();
  const up = await slipwayUp(project.folder);
  const train = start('train');
  await script.begun();
  train.child.kill('SIGINT');
  expect(await train.ended).toBe(130);
  expect(await up.stop()).toBe(0);
  expect(up.output()).toContain('1 job still running');
  const next = await slipwayUp(project.folder);
  await script.goOn();
  expect((await project.run('train')).exitCode).toBe(0);
  await next.stop();
  expect(next.output()).toContain('Nothing was running');
  expect(await trainings()).toBe(1);
});

it('a command whose server ends under it goes on with one of its own', async () => {
  const script = await patientScript();
  const up = await slipwayUp(project.folder);
  const train = start('train');
  await script.begun();
  await up.stop();
  await script.goOn();
  expect(await train.ended).toBe(0);
  expect(train.output()).toContain('the server of another command ended');
  expect(await trainings()).toBe(1);
});

it('an apply that was killed midway can be run again at once', async () => {
  expect((await project.run('train')).exitCode).toBe(0);
  await project.run('approve', 'house-prices', '1');
  const killed = start('apply');
  await vi.waitFor(() => expect(killed.output()).toContain('model created'), WAIT);
  killed.child.kill('SIGKILL');
  await killed.ended;
  const ran = await project.run('apply');
  expect(ran.stdout).toMatch(/house-prices +(released|unchanged) +version 1 live/);
  expect(ran.exitCode).toBe(0);
  // Not by the request log: a killed server may lose its last lines.
  const up = await slipwayUp(project.folder);
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'local' };
  const sagemaker = new SageMakerClient({ endpoint: up.url, region: 'us-east-1', credentials });
  const { Models: models } = await sagemaker.send(new ListModelsCommand({}));
  expect(models).toHaveLength(1);
  await up.stop();
});

it('two trainings at once share one server and train once', async () => {
  const both = [start('train'), start('train')];
  expect(await Promise.all(both.map(({ ended }) => ended))).toEqual([0, 0]);
  for (const { output } of both) expect(output()).toContain('model-package/pricing-house-prices/1');
  expect(await trainings()).toBe(1);
});

it('of two applies at once one releases, and the other finds it done or says who is at work', async () => {
  const up = await slipwayUp(project.folder);
  await project.run('train');
  await project.run('approve', 'house-prices', '1');
  const both = [start('apply'), start('apply')];
  const codes = await Promise.all(both.map(({ ended }) => ended));
  expect(codes).toContain(0);
  const [other] = codes.filter((code) => code !== 0);
  expect([undefined, 6]).toContain(other);
  if (other === 6) expect(both.map(({ output }) => output()).join('')).toMatch(/is changing the endpoint models/);
  await up.stop();
  const created = (await project.changes()).filter((name) => name === 'sagemaker.CreateEndpoint');
  expect(created).toHaveLength(1);
});

const LONG_JOB = `
import boto3, io, os, sys, tarfile, time
begun = sys.argv[1]
code = f"import os, time\\nopen({begun!r}, 'w').write(str(os.getpid()))\\ntime.sleep(600)\\n".encode()
archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w:gz") as tar:
    entry = tarfile.TarInfo("train.py")
    entry.size = len(code)
    tar.addfile(entry, io.BytesIO(code))
s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(Bucket="long-job")
s3.put_object(Bucket="long-job", Key="code.tar.gz", Body=archive.getvalue())
sagemaker.create_training_job(
    TrainingJobName="long",
    AlgorithmSpecification={
        "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "TrainingInputMode": "File",
    },
    RoleArn="arn:aws:iam::000000000000:role/any",
    HyperParameters={
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://long-job/code.tar.gz",
    },
    OutputDataConfig={"S3OutputPath": "s3://long-job/output"},
    ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
    StoppingCondition={"MaxRuntimeInSeconds": 3600},
)
while not os.path.exists(begun):
    time.sleep(0.05)
print("begun", flush=True)
if "stay" in sys.argv:
    time.sleep(600)
`;

/** Jobs of the data folder whose supervisor or script is still a process of this machine. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (cwd.startsWith(join(folder, '.slipway'))) found.push(`${pid} ${cwd}`);
  }
  return found;
}

it.runIf(existsSync('/proc/self/cwd'))('exec takes the jobs of its command with it', async () => {
  const { python } = await pythonClients();
  const script = join(project.folder, 'long.py');
  await writeFile(script, LONG_JOB);
  const ran = await project.run('exec', '--', python, script, join(project.folder, 'begun'));
  expect(ran.stdout).toBe('begun\n');
  expect(ran.exitCode).toBe(0);
  expect(await processesOf(project.folder)).toEqual([]);
});

it('Ctrl-C of exec ends its command and its jobs, and leaves no private folder', async () => {
  const { python } = await pythonClients();
  const script = join(project.folder, 'long.py');
  await writeFile(script, LONG_JOB);
  const outside = spawn(
    process.execPath,
    [BIN, 'exec', '--', python, script, join(project.folder, 'begun'), 'stay'],
    // Outside any project, on a private folder of this test's own temporary one.
    { cwd: tmpdir(), env: { ...process.env, TMPDIR: project.folder }, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  await once(outside.stdout, 'data');
  expect((await readdir(project.folder)).some((name) => /^slipway-\w{6}$/.test(name))).toBe(true);
  outside.kill('SIGINT');
  const [code] = (await once(outside, 'close')) as [number];
  expect(code).toBe(130);
  // The user's folder of sockets may stay, empty.
  const sockets = `slipway-${process.getuid?.() ?? 0}`;
  const left = (await readdir(project.folder)).filter((name) => name.startsWith('slipway-') && name !== sockets);
  expect(left).toEqual([]);
  expect(await readdir(join(project.folder, sockets)).catch(() => [])).toEqual([]);
});

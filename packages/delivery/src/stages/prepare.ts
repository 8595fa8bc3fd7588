import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { canonical, digestOf, sha256, short } from '../digest.ts';
import { keys } from '../names.ts';
import type { ResolvedModel } from '../project/model.ts';
import type { Site } from '../site.ts';
import type { DataSet } from './data.ts';
import { runProcessing } from './jobs.ts';
import type { FinishedJob, JobPlace } from './jobs.ts';
import type { Source } from './source.ts';

export const CODE_PATH = '/opt/ml/processing/input/code';
const DATA_PATH = '/opt/ml/processing/input/data';
const OUTPUT_PATH = '/opt/ml/processing/output';
const VOLUME_GB = 30;

export interface Prepared {
  readonly digest: string;
  readonly job: FinishedJob;
  readonly train: string;
  readonly validation: string | undefined;
  /** The same rows with all columns under their heading. */
  readonly tables: string;
  readonly test: string;
}

/** Checks and splits the data in a processing job. Its name follows from data, rules and script, not from the model. */
export async function prepare(place: JobPlace, model: ResolvedModel, data: DataSet, source: Source): Promise<Prepared> {
  const { site } = place;
  const raw = model.data.prepare === undefined ? data.uri : await ownPreparation(place, model, data, source);
  const script = await ownScript('prepare.py');
  const config = {
    target: model.data.target,
    task: model.task,
    id: model.data.id ?? null,
    group: model.data.group ?? null,
    split: model.data.split,
    minRows: model.gate.minRows,
    numeric: model.train.mode === 'algorithm',
  };
  const image = model.train.image;
  const digest = digestOf({ model: model.name, raw, data: data.digest, script: sha256(script), config, image });
  const output = site.objects.uri(`${keys.data(model.name, data.window)}/prepared/${short(digest)}`);
  const code = await uploadCode(site, { 'prepare.py': script, 'config.json': canonical(config) });
  const job = await runProcessing(place, model.project, digest, {
    ...processingRequest(model, site, 'prepare.py', output),
    ProcessingInputs: [input('code', code, CODE_PATH), input('data', raw, DATA_PATH)],
  });
  const { validation } = model.data.split;
  return {
    digest,
    job,
    train: `${output}/train/`,
    validation: validation > 0 ? `${output}/validation/` : undefined,
    tables: `${output}/tables/`,
    test: `${output}/test/`,
  };
}

/**
 * The model's own `data.prepare` script, in a job before ours: it reads /opt/ml/processing/input/data and leaves CSV
 * files with a heading in /opt/ml/processing/output.
 */
async function ownPreparation(place: JobPlace, model: ResolvedModel, data: DataSet, source: Source): Promise<string> {
  const { site } = place;
  const script = model.data.prepare ?? '';
  const content = source.files.map(({ path, sha256: sum }) => [path, sum]);
  const digest = digestOf({ model: model.name, data: data.digest, script, content, image: model.train.image });
  const output = site.objects.uri(`${keys.data(model.name, data.window)}/scripted/${short(digest)}`);
  const code = await uploadCode(site, await sourceContents(source));
  await runProcessing({ ...place, stage: 'data' }, model.project, digest, {
    ...processingRequest(model, site, script, output),
    ProcessingInputs: [input('code', code, CODE_PATH), input('data', data.uri, DATA_PATH)],
  });
  return `${output}/`;
}

export function processingRequest(model: ResolvedModel, site: Site, script: string, output: string) {
  return {
    AppSpecification: { ImageUri: model.train.image, ContainerEntrypoint: ['python3', `${CODE_PATH}/${script}`] },
    RoleArn: site.env.role,
    ProcessingResources: {
      ClusterConfig: {
        InstanceCount: 1,
        InstanceType: model.train.instance as 'ml.m5.large',
        VolumeSizeInGB: VOLUME_GB,
      },
    },
    ProcessingOutputConfig: {
      Outputs: [
        {
          OutputName: 'output',
          S3Output: { S3Uri: output, LocalPath: OUTPUT_PATH, S3UploadMode: 'EndOfJob' as const },
        },
      ],
    },
    StoppingCondition: { MaxRuntimeInSeconds: model.train.timeoutSeconds },
    Tags: ownTags(model),
  };
}

export function ownTags(model: ResolvedModel): { Key: string; Value: string }[] {
  return [
    { Key: 'delivery:project', Value: model.project },
    { Key: 'delivery:model', Value: model.name },
  ];
}

export function input(name: string, uri: string, path: string) {
  return {
    InputName: name,
    S3Input: {
      S3Uri: uri,
      LocalPath: path,
      S3DataType: 'S3Prefix' as const,
      S3InputMode: 'File' as const,
      S3DataDistributionType: 'FullyReplicated' as const,
    },
  };
}

/** A script of this package. */
export async function ownScript(name: 'prepare.py' | 'evaluate.py'): Promise<Buffer> {
  // By the package's name, because a bundle of this code lies elsewhere.
  return readFile(createRequire(import.meta.url).resolve(`@slipway/delivery/python/${name}`));
}

export async function sourceContents(source: Source): Promise<Record<string, Buffer>> {
  const contents: Record<string, Buffer> = {};
  for (const file of source.files) contents[file.path] = await readFile(file.absolute);
  return contents;
}

/** Puts the files of a job under the digest of all of them. @returns the prefix */
export async function uploadCode(site: Site, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const names = Object.keys(files).toSorted();
  const digest = digestOf(names.map((name) => [name, sha256(files[name] ?? '')]));
  const folder = `code/${short(digest)}`;
  for (const name of names) {
    const key = `${folder}/${name}`;
    if ((await site.objects.head(key)) === undefined) await site.objects.put(key, files[name] ?? '', 'text/plain');
  }
  return site.objects.uri(`${folder}/`);
}

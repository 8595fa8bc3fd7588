import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EffectHandlers, Owner } from '@slipway/kit/machine';
import { isDiskFull } from '@slipway/kit/sqlite';
import type { JobFolder, JobSpec } from '../../../engine/engine.ts';
import type { ServerParts } from '../../parts.ts';
import { listTree, packFolder } from '../archives/create.ts';
import { arnOf } from '../arns.ts';
import { imageOf } from '../images.ts';
import { awsEnvironment } from '../jobs/environment.ts';
import { ClientError } from '../jobs/client-error.ts';
import { orUserFailure } from '../jobs/outcome.ts';
import { uploadFile } from '../jobs/upload.ts';
import { untilAborted } from '../until-aborted.ts';
import { isMissing, parseS3Uri, type S3Access, type S3Uri } from '../s3-access.ts';
import type { JobRow, JobStore } from '../jobs/store.ts';
import type { TrainingEffect } from './machine.ts';
import { lastMetrics, type MetricDefinition } from './metrics.ts';
import { prepareTraining, type TrainingRequest } from './prepare.ts';
import { metricDefinitionsOf } from './definition.ts';

/** AWS's default and the time it gives a process to end. */
export const DEFAULT_RUNTIME_SECONDS = 86_400;
const STOP_GRACE_MS = 120_000;
const LOG_GROUP = '/aws/sagemaker/TrainingJobs';

/** What a training job's machine does in the world. Each may be called again after a crash and then finds its work. */
export function trainingEffects(parts: ServerParts, store: JobStore, s3: S3Access): EffectHandlers<TrainingEffect> {
  const jobOf = (owner: Owner, name: string): { row: JobRow; request: TrainingRequest } => {
    const row = store.find(owner, name);
    if (row === undefined) throw new Error(`the training job ${name} has no row`);
    return { row, request: JSON.parse(row.request) as TrainingRequest };
  };
  return {
    async download(effect, { owner, key, signal }) {
      const { row, request } = jobOf(owner, key);
      const folder = await parts.engine.jobFolder(effect.jobId);
      const stream = `${key}/algo-1-${Math.floor(row.created_at / 1000)}`;
      parts.logFiles.register(owner, LOG_GROUP, stream, folder.log);
      return orUserFailure(prepareTraining(s3, owner, request, folder, signal));
    },
    async run(effect, { owner, key, signal }) {
      const { request } = jobOf(owner, key);
      await parts.engine.startJob(specOf(parts, owner, key, effect.jobId, request));
      // A stop that was asked for before the process was there has found nothing to stop.
      if (store.find(owner, key)?.status === 'Stopping') {
        parts.engine
          .stopJob(effect.jobId, STOP_GRACE_MS)
          .catch((error: unknown) => parts.log.error('a job could not be stopped', { job: key, error }));
      }
      return parts.engine.waitJob(effect.jobId, signal);
    },
    async halt(effect, { signal }) {
      await untilAborted(parts.engine.stopJob(effect.jobId, STOP_GRACE_MS), signal);
    },
    async measure(effect, { owner, key, signal }) {
      const definitions = metricDefinitionsOf(parts.engine, jobOf(owner, key).request);
      const folder = await parts.engine.jobFolder(effect.jobId);
      return lastMetrics(folder.log, definitions as readonly MetricDefinition[], signal);
    },
    async upload(effect, { owner, key, attempt, signal }) {
      const { request } = jobOf(owner, key);
      const folder = await parts.engine.jobFolder(effect.jobId);
      return orUserFailure(uploadArtifacts({ s3, owner, attempt, signal }, key, request, folder, effect.kept));
    },
    async clear(effect) {
      await parts.engine.clearJob(effect.jobId);
    },
  };
}

function specOf(parts: ServerParts, owner: Owner, name: string, jobId: string, request: TrainingRequest): JobSpec {
  const seconds = request.StoppingCondition?.MaxRuntimeInSeconds ?? DEFAULT_RUNTIME_SECONDS;
  return {
    id: jobId,
    image: imageOf(parts.engine, request.AlgorithmSpecification?.TrainingImage ?? ''),
    mode: 'train',
    environment: {
      ...awsEnvironment(owner, parts.baseUrl()),
      TRAINING_JOB_NAME: name,
      TRAINING_JOB_ARN: arnOf(owner, 'training-job', name),
      CURRENT_HOST: 'algo-1',
      ...request.Environment,
    },
    deadlineMs: seconds * 1000,
  };
}

interface Upload {
  readonly s3: S3Access;
  readonly owner: Owner;
  /** Of the effect, from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/**
 * @param kept for a job that was stopped: an artifact only if the script had written something
 * @throws ClientError when the output cannot be written to its bucket
 */
async function uploadArtifacts(
  upload: Upload,
  name: string,
  request: TrainingRequest,
  folder: JobFolder,
  kept: boolean,
): Promise<{ readonly artifacts?: string }> {
  const output = parseS3Uri(request.OutputDataConfig.S3OutputPath);
  if (output === undefined) throw new ClientError('Artifact upload failed: the output path is not an s3:// URL.');
  const base: S3Uri = { bucket: output.bucket, key: joinKey(output.key, `${name}/output`) };
  const model = join(folder.ml, 'model');
  const packed = request.OutputDataConfig.CompressionType !== 'NONE';
  try {
    if (await hasFiles(join(folder.ml, 'output/data'))) {
      const archive = join(folder.root, 'upload/output.tar.gz');
      await putArchive(upload, join(folder.ml, 'output/data'), archive, below(base, 'output.tar.gz'));
    }
    if (kept && !(await hasFiles(model))) return {};
    const target = below(base, packed ? 'model.tar.gz' : 'model/');
    if (packed) await putArchive(upload, model, join(folder.root, 'upload/model.tar.gz'), target);
    else await putTree(upload, model, target);
    return { artifacts: `s3://${target.bucket}/${target.key}` };
  } catch (error) {
    if (isDiskFull(error)) throw new ClientError('Artifact upload failed: no space is left on the disk.');
    if (!isMissing(error)) throw error;
    throw new ClientError(`Artifact upload failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function putArchive(upload: Upload, folder: string, archive: string, target: S3Uri): Promise<void> {
  const { s3, owner, attempt, signal } = upload;
  await packFolder(folder, archive, signal);
  await uploadFile(s3, owner, archive, target, attempt, signal);
}

async function putTree({ s3, owner, attempt, signal }: Upload, folder: string, target: S3Uri): Promise<void> {
  for (const file of await listTree(folder, { links: 'inside' })) {
    if (file.folder) continue;
    await uploadFile(s3, owner, join(folder, file.path), below(target, file.path), attempt, signal);
  }
}

const joinKey = (prefix: string, rest: string): string =>
  prefix === '' || prefix.endsWith('/') ? prefix + rest : `${prefix}/${rest}`;
const below = (uri: S3Uri, name: string): S3Uri => ({ bucket: uri.bucket, key: joinKey(uri.key, name) });

async function hasFiles(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

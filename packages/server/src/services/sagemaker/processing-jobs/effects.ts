import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EffectHandlers, Owner } from '@slipway/kit/machine';
import { isDiskFull } from '@slipway/kit/sqlite';
import type { JobFolder, JobSpec } from '../../../engine/engine.ts';
import type { ServerParts } from '../../parts.ts';
import { listTree } from '../archives/create.ts';
import { arnOf } from '../arns.ts';
import { imageOf } from '../images.ts';
import { awsEnvironment } from '../jobs/environment.ts';
import { writeJson } from '../jobs/files.ts';
import { ClientError } from '../jobs/client-error.ts';
import { downloadInput } from '../jobs/inputs.ts';
import { orUserFailure } from '../jobs/outcome.ts';
import { uploadFile } from '../jobs/upload.ts';
import type { JobRow, JobStore } from '../jobs/store.ts';
import { untilAborted } from '../until-aborted.ts';
import { isMissing, parseS3Uri, type S3Access } from '../s3-access.ts';
import { relativeToMl, type ProcessingRequest } from './definition.ts';
import type { ProcessingEffect } from './machine.ts';

export const DEFAULT_RUNTIME_SECONDS = 86_400;
const STOP_GRACE_MS = 120_000;
const LOG_GROUP = '/aws/sagemaker/ProcessingJobs';
const RESOURCES = { current_host: 'algo-1', hosts: ['algo-1'] } as const;

interface ProcessingEffects {
  readonly parts: ServerParts;
  readonly store: JobStore;
  readonly s3: S3Access;
}

/** What a processing job's machine does in the world. Each may be called again after a crash. */
export function processingEffects({ parts, store, s3 }: ProcessingEffects): EffectHandlers<ProcessingEffect> {
  const jobOf = (owner: Owner, name: string): { row: JobRow; request: ProcessingRequest } => {
    const row = store.find(owner, name);
    if (row === undefined) throw new Error(`the processing job ${name} has no row`);
    return { row, request: JSON.parse(row.request) as ProcessingRequest };
  };
  return {
    async download(effect, { owner, key, signal }) {
      const { row, request } = jobOf(owner, key);
      const folder = await parts.engine.jobFolder(effect.jobId);
      parts.logFiles.register(owner, LOG_GROUP, `${key}/algo-1-${Math.floor(row.created_at / 1000)}`, folder.log);
      return orUserFailure(prepareProcessing(s3, owner, request, folder, signal));
    },
    async run(effect, { owner, key, signal }) {
      const { request } = jobOf(owner, key);
      await parts.engine.startJob(specOf(parts, owner, effect.jobId, request));
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
    async upload(effect, { owner, key, attempt, signal }) {
      const { request } = jobOf(owner, key);
      const folder = await parts.engine.jobFolder(effect.jobId);
      return orUserFailure(uploadOutputs(s3, owner, request, folder, attempt, signal));
    },
    async clear(effect) {
      await parts.engine.clearJob(effect.jobId);
    },
  };
}

function specOf(parts: ServerParts, owner: Owner, jobId: string, request: ProcessingRequest): JobSpec {
  const { ContainerEntrypoint = [], ContainerArguments = [] } = request.AppSpecification;
  const seconds = request.StoppingCondition?.MaxRuntimeInSeconds ?? DEFAULT_RUNTIME_SECONDS;
  return {
    id: jobId,
    image: imageOf(parts.engine, request.AppSpecification.ImageUri),
    mode: 'process',
    command: [...ContainerEntrypoint, ...ContainerArguments],
    environment: {
      ...awsEnvironment(owner, parts.baseUrl()),
      PROCESSING_JOB_NAME: request.ProcessingJobName,
      PROCESSING_JOB_ARN: arnOf(owner, 'processing-job', request.ProcessingJobName),
      ...request.Environment,
    },
    deadlineMs: seconds * 1000,
  };
}

/** Source of the layout: "Build your own processing container", developer guide. */
async function prepareProcessing(
  s3: S3Access,
  owner: Owner,
  request: ProcessingRequest,
  folder: JobFolder,
  signal: AbortSignal,
): Promise<void> {
  await rm(join(folder.ml, 'processing'), { recursive: true, force: true });
  await mkdir(join(folder.ml, 'processing'), { recursive: true });
  await mkdir(join(folder.ml, 'output'), { recursive: true });
  await writeJson(join(folder.ml, 'config/processingjobconfig.json'), {
    ProcessingJobArn: arnOf(owner, 'processing-job', request.ProcessingJobName),
    ...request,
  });
  await writeJson(join(folder.ml, 'config/resourceconfig.json'), RESOURCES);
  for (const output of request.ProcessingOutputConfig?.Outputs ?? []) {
    await mkdir(mlPath(folder, output.S3Output?.LocalPath), { recursive: true });
  }
  for (const { InputName, S3Input } of request.ProcessingInputs ?? []) {
    if (S3Input === undefined) continue;
    const input = {
      name: `input ${InputName}`,
      uri: S3Input.S3Uri,
      type: S3Input.S3DataType === 'ManifestFile' ? ('ManifestFile' as const) : ('S3Prefix' as const),
      folder: mlPath(folder, S3Input.LocalPath),
    };
    await downloadInput(s3, owner, request.RoleArn, input, signal);
  }
}

/** Every regular file below each output's folder. Links are left out, as on AWS. @throws ClientError for a lost bucket */
async function uploadOutputs(
  s3: S3Access,
  owner: Owner,
  request: ProcessingRequest,
  folder: JobFolder,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  for (const { OutputName, S3Output } of request.ProcessingOutputConfig?.Outputs ?? []) {
    if (S3Output === undefined) continue;
    const uri = parseS3Uri(S3Output.S3Uri);
    if (uri === undefined) throw new ClientError(`Upload of output ${OutputName} failed: ${S3Output.S3Uri}`);
    const local = mlPath(folder, S3Output.LocalPath);
    const prefix = uri.key === '' || uri.key.endsWith('/') ? uri.key : `${uri.key}/`;
    try {
      for (const file of await listTree(local, { links: 'none' })) {
        if (file.folder) continue;
        const target = { bucket: uri.bucket, key: prefix + file.path };
        await uploadFile(s3, owner, join(local, file.path), target, attempt, signal);
      }
    } catch (error) {
      if (isDiskFull(error)) throw new ClientError('Upload of outputs failed: no space is left on the disk.');
      if (!isMissing(error)) throw error;
      throw new ClientError(`Upload of output ${OutputName} to ${S3Output.S3Uri} failed: ${(error as Error).message}`);
    }
  }
}

function mlPath(folder: JobFolder, localPath: string | undefined): string {
  const relative = relativeToMl(localPath ?? '');
  if (relative === undefined) throw new ClientError(`${localPath} lies outside /opt/ml/processing.`);
  return join(folder.ml, relative);
}

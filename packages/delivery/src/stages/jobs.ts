import {
  CreateProcessingJobCommand,
  CreateTrainingJobCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
} from '@aws-sdk/client-sagemaker';
import type {
  CreateProcessingJobCommandInput,
  CreateTrainingJobCommandInput,
  DescribeTrainingJobCommandOutput,
} from '@aws-sdk/client-sagemaker';
import { isNotFound } from '../aws-errors.ts';
import { DeliveryError, JobFailed } from '../errors.ts';
import type { OnEvent, StageName } from '../events.ts';
import { jobName } from '../names.ts';
import type { Site } from '../site.ts';
import { waitFor } from '../wait.ts';
import { findCulprit, readLogTail } from './job-log.ts';

/** Jobs of the same content that failed before; past this many something else is wrong than bad luck. */
const ATTEMPTS_MAX = 50;

export interface JobPlace {
  readonly site: Site;
  readonly model: string;
  readonly stage: StageName;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal | undefined;
}

export interface FinishedJob {
  readonly name: string;
  readonly ran: boolean;
  readonly seconds?: number;
  /** Of a training job. */
  readonly artifact?: string;
  /** Where it wrote: a later attempt writes to its own place. */
  readonly output?: string;
}

interface JobState {
  readonly status: string;
  readonly reason: string;
  readonly seconds?: number;
  readonly artifact?: string;
  readonly output?: string;
}

interface JobKind<Input> {
  readonly kind: 'training' | 'processing';
  create(site: Site, input: Input): Promise<unknown>;
  describe(site: Site, name: string): Promise<JobState>;
}

const training: JobKind<CreateTrainingJobCommandInput> = {
  kind: 'training',
  create: (site, input) => site.aws.sagemaker.send(new CreateTrainingJobCommand(input)),
  describe: async (site, name) => {
    const job = await site.aws.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
    const artifact = job.ModelArtifacts?.S3ModelArtifacts;
    return {
      status: job.TrainingJobStatus ?? 'Unknown',
      reason: job.FailureReason ?? overTime(job),
      ...spent(job.TrainingStartTime ?? job.CreationTime, job.TrainingEndTime),
      ...(artifact === undefined ? {} : { artifact }),
    };
  },
};

/** A training job that ran into its limit ends Stopped, and only its secondary status says why. */
function overTime(job: DescribeTrainingJobCommandOutput): string {
  if (job.SecondaryStatus !== 'MaxRuntimeExceeded') return '';
  return `it ran longer than its limit of ${job.StoppingCondition?.MaxRuntimeInSeconds ?? '?'} s (train.timeout)`;
}

const processing: JobKind<CreateProcessingJobCommandInput> = {
  kind: 'processing',
  create: (site, input) => site.aws.sagemaker.send(new CreateProcessingJobCommand(input)),
  describe: async (site, name) => {
    const job = await site.aws.sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }));
    const output = job.ProcessingOutputConfig?.Outputs?.[0]?.S3Output?.S3Uri;
    return {
      status: job.ProcessingJobStatus ?? 'Unknown',
      reason: job.ExitMessage || job.FailureReason || '',
      ...spent(job.ProcessingStartTime ?? job.CreationTime, job.ProcessingEndTime),
      ...(output === undefined ? {} : { output }),
    };
  },
};

/** Finds, attaches to or starts the training job of this content, and waits for its end. @throws JobFailed */
export function runTraining(
  place: JobPlace,
  project: string,
  digest: string,
  request: Omit<CreateTrainingJobCommandInput, 'TrainingJobName'>,
): Promise<FinishedJob> {
  return run(
    place,
    training,
    (attempt) => jobName(project, place.model, 'train', digest, attempt),
    (name) => ({
      ...request,
      TrainingJobName: name,
    }),
  );
}

/** The same for a processing job. */
export function runProcessing(
  place: JobPlace,
  project: string,
  digest: string,
  request: Omit<CreateProcessingJobCommandInput, 'ProcessingJobName'>,
): Promise<FinishedJob> {
  const short = place.stage === 'evaluate' ? 'eval' : place.stage === 'data' ? 'data' : 'prep';
  return run(
    place,
    processing,
    (attempt) => jobName(project, place.model, short, digest, attempt),
    (name) => ({
      ...request,
      ProcessingJobName: name,
    }),
  );
}

async function run<Input>(
  place: JobPlace,
  kind: JobKind<Input>,
  nameOf: (attempt: number) => string,
  requestOf: (name: string) => Input,
): Promise<FinishedJob> {
  const { model, stage, onEvent } = place;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const name = nameOf(attempt);
    const before = await look(place.site, kind, name);
    if (before?.status === 'Completed') {
      onEvent({ type: 'stage', model, stage, state: 'found', subject: name, ...seconds(before) });
      return finished(name, before, false);
    }
    if (before !== undefined && ['Failed', 'Stopped'].includes(before.status)) continue;
    const mine = before === undefined && (await start(place.site, kind, requestOf(name)));
    onEvent({ type: 'stage', model, stage, state: mine ? 'started' : 'attached', subject: name });
    return await follow(place, kind, name);
  }
  throw new DeliveryError(
    `${nameOf(1)} failed ${ATTEMPTS_MAX} times with the same source and data.`,
    'Change what makes it fail, then run the command again.',
  );
}

/** @returns false if someone else started it in this very moment */
async function start<Input>(site: Site, kind: JobKind<Input>, request: Input): Promise<boolean> {
  try {
    await kind.create(site, request);
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceInUse') return false;
    throw error;
  }
}

async function follow<Input>(place: JobPlace, kind: JobKind<Input>, name: string): Promise<FinishedJob> {
  const { model, stage, onEvent } = place;
  let last = '';
  const end = await waitFor(`the ${kind.kind} job ${name}`, place.signal, async () => {
    const state = await kind.describe(place.site, name);
    if (state.status !== last) onEvent({ type: 'status', subject: name, status: state.status });
    last = state.status;
    return ['Completed', 'Failed', 'Stopped'].includes(state.status) ? state : undefined;
  });
  if (end.status === 'Completed') {
    onEvent({ type: 'stage', model, stage, state: 'finished', subject: name, ...seconds(end) });
    return finished(name, end, true);
  }
  onEvent({ type: 'stage', model, stage, state: 'failed', subject: name, detail: end.reason });
  const tail = await readLogTail(place.site.aws.logs, kind.kind, name);
  const culprit = findCulprit(tail.lines);
  throw new JobFailed({
    job: name,
    kind: kind.kind,
    status: end.status,
    reason: end.reason || 'it gave no reason',
    logTail: tail.lines,
    file: culprit?.file,
    line: culprit?.line,
    logGroup: tail.group,
    logStream: tail.stream,
  });
}

async function look<Input>(site: Site, kind: JobKind<Input>, name: string): Promise<JobState | undefined> {
  try {
    return await kind.describe(site, name);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function spent(from: Date | undefined, to: Date | undefined): { seconds?: number } {
  return from === undefined || to === undefined ? {} : { seconds: (to.getTime() - from.getTime()) / 1000 };
}

function seconds(state: JobState): { seconds?: number } {
  return state.seconds === undefined ? {} : { seconds: state.seconds };
}

function finished(name: string, state: JobState, ran: boolean): FinishedJob {
  return {
    name,
    ran,
    ...seconds(state),
    ...(state.artifact === undefined ? {} : { artifact: state.artifact }),
    ...(state.output === undefined ? {} : { output: state.output }),
  };
}

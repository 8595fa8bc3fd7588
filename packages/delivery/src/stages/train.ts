import type { Channel } from '@aws-sdk/client-sagemaker';
import { digestOf } from '../digest.ts';
import { DeliveryError } from '../errors.ts';
import type { ResolvedModel } from '../project/model.ts';
import { runTraining } from './jobs.ts';
import type { FinishedJob, JobPlace } from './jobs.ts';
import { ownTags } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import { uploadSourcedir } from './source.ts';
import type { Source } from './source.ts';

const VOLUME_GB = 30;

export interface Trained {
  readonly job: FinishedJob;
  readonly artifact: string;
}

/**
 * Trains in a training job. Its name follows from source and prepared data, so a changed gate does not train again.
 *
 * Channels: `train` and `validation` (no heading, the target first, as the built-in algorithm reads them); scripts also
 * get `tables`, the same rows with all columns under their heading.
 */
export async function train(
  place: JobPlace,
  model: ResolvedModel,
  source: Source,
  prepared: Prepared,
): Promise<Trained> {
  const { site } = place;
  const digest = digestOf({ training: source.training, prepared: prepared.digest });
  const channels = [channel('train', prepared.train)];
  if (prepared.validation !== undefined) channels.push(channel('validation', prepared.validation));
  if (model.train.mode === 'script') channels.push(channel('tables', prepared.tables));
  const job = await runTraining(place, model.project, digest, {
    AlgorithmSpecification: { TrainingImage: model.train.image, TrainingInputMode: 'File' },
    RoleArn: site.env.role,
    HyperParameters: await hyperparameters(place, model, source),
    InputDataConfig: channels,
    OutputDataConfig: { S3OutputPath: site.objects.uri(`models/${model.name}/training`) },
    ResourceConfig: {
      InstanceCount: 1,
      InstanceType: model.train.instance as 'ml.m5.large',
      VolumeSizeInGB: VOLUME_GB,
    },
    StoppingCondition: { MaxRuntimeInSeconds: model.train.timeoutSeconds },
    Tags: ownTags(model),
  });
  if (job.artifact === undefined) throw new DeliveryError(`The training job ${job.name} left no artifact.`);
  return { job, artifact: job.artifact };
}

/** As the training toolkit reads them: its own keys are JSON, everything is a string. */
async function hyperparameters(place: JobPlace, model: ResolvedModel, source: Source): Promise<Record<string, string>> {
  if (model.train.entry === undefined) return model.train.hyperparameters;
  const submit = await uploadSourcedir(place.site.objects, model.name, source);
  return {
    ...model.train.hyperparameters,
    sagemaker_program: JSON.stringify(model.train.entry),
    sagemaker_submit_directory: JSON.stringify(submit),
    sagemaker_region: JSON.stringify(place.site.aws.region),
  };
}

function channel(name: string, uri: string): Channel {
  return {
    ChannelName: name,
    ContentType: 'text/csv',
    DataSource: {
      S3DataSource: { S3DataType: 'S3Prefix', S3Uri: uri, S3DataDistributionType: 'FullyReplicated' },
    },
  };
}

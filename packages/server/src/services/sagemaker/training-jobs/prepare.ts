import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Owner } from '@slipway/kit/machine';
import type { JobFolder } from '../../../engine/engine.ts';
import { downloadInput } from '../jobs/inputs.ts';
import { writeJson } from '../jobs/files.ts';
import type { Input } from '../operation-types.ts';
import type { S3Access } from '../s3-access.ts';

export type TrainingRequest = Input<'CreateTrainingJob'>;

const HOST = 'algo-1';
const INSTANCE_GROUP = 'homogeneousCluster';

/**
 * Lays out /opt/ml for a training container: folders, configuration files and each channel's data. Begins from nothing,
 * so that a download that was broken off is done again whole.
 * Source of the layout: "How Amazon SageMaker provides training information", developer guide.
 */
export async function prepareTraining(
  s3: S3Access,
  owner: Owner,
  request: TrainingRequest,
  folder: JobFolder,
  signal: AbortSignal,
): Promise<void> {
  await rm(join(folder.ml, 'input'), { recursive: true, force: true });
  for (const path of ['input/config', 'input/data', 'model', 'output/data', 'output/metrics', 'checkpoints', 'code']) {
    await mkdir(join(folder.ml, path), { recursive: true });
  }
  await writeConfiguration(join(folder.ml, 'input/config'), request);
  for (const channel of request.InputDataConfig ?? []) {
    const source = channel.DataSource?.S3DataSource;
    if (source === undefined) continue;
    const manifest = source.S3DataType === 'ManifestFile';
    const data = join(folder.ml, 'input/data');
    await downloadInput(
      s3,
      owner,
      request.RoleArn,
      {
        name: `channel ${channel.ChannelName}`,
        uri: source.S3Uri,
        type: manifest ? 'ManifestFile' : 'S3Prefix',
        folder: join(data, channel.ChannelName),
        ...(manifest ? { manifestPath: join(data, `${channel.ChannelName}-manifest`) } : {}),
      },
      signal,
    );
  }
}

async function writeConfiguration(folder: string, request: TrainingRequest): Promise<void> {
  await writeJson(join(folder, 'hyperparameters.json'), request.HyperParameters ?? {});
  const channels = (request.InputDataConfig ?? []).map((channel) => [
    channel.ChannelName,
    {
      TrainingInputMode: 'File',
      S3DistributionType: channel.DataSource?.S3DataSource?.S3DataDistributionType ?? 'FullyReplicated',
      RecordWrapperType: channel.RecordWrapperType ?? 'None',
      ...(channel.ContentType === undefined ? {} : { ContentType: channel.ContentType }),
    },
  ]);
  await writeJson(join(folder, 'inputdataconfig.json'), Object.fromEntries(channels));
  const instanceType = request.ResourceConfig?.InstanceType ?? 'local';
  await writeJson(join(folder, 'resourceconfig.json'), {
    current_host: HOST,
    current_instance_type: instanceType,
    current_group_name: INSTANCE_GROUP,
    hosts: [HOST],
    instance_groups: [{ instance_group_name: INSTANCE_GROUP, instance_type: instanceType, hosts: [HOST] }],
    network_interface_name: 'lo',
  });
}

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  DescribeModelPackageCommand,
  DescribeModelPackageGroupCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  paginateListTrainingJobs,
} from '@aws-sdk/client-sagemaker';
import type { AwsClients } from '@slipway/delivery';
import { expect } from 'vitest';
import type { Acknowledged } from './demo-project.ts';

/** Every creation that was acknowledged can be described. */
export async function acknowledgedAreThere(aws: AwsClients, acknowledged: readonly Acknowledged[]): Promise<void> {
  for (const { operation, name } of acknowledged) await describe(aws, operation, name);
}

async function describe({ sagemaker }: AwsClients, operation: string, name: string): Promise<unknown> {
  switch (operation) {
    case 'CreateTrainingJob':
      return await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
    case 'CreateProcessingJob':
      return await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }));
    case 'CreateModel':
      return await sagemaker.send(new DescribeModelCommand({ ModelName: name }));
    case 'CreateEndpointConfig':
      return await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name }));
    case 'CreateEndpoint':
      return await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }));
    case 'CreateModelPackageGroup':
      return await sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: name }));
    case 'CreateModelPackage':
      return await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: name }));
    default:
      throw new Error(`Nothing describes what ${operation} makes.`);
  }
}

const TERMINAL = ['Completed', 'Failed', 'Stopped', 'MaxRuntimeExceeded'];

/** Each training job ended once, completed; each processing job too. */
export async function jobsEndedOnce(aws: AwsClients, acknowledged: readonly Acknowledged[]): Promise<void> {
  for await (const page of paginateListTrainingJobs({ client: aws.sagemaker }, {})) {
    for (const { TrainingJobName } of page.TrainingJobSummaries ?? []) {
      const job = await aws.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName }));
      const terminal = job.SecondaryStatusTransitions?.filter(({ Status }) => TERMINAL.includes(Status ?? ''));
      expect(
        terminal?.map(({ Status }) => Status),
        `${TrainingJobName} ${job.FailureReason}`,
      ).toEqual(['Completed']);
      expect(job.TrainingJobStatus).toBe('Completed');
    }
  }
  for (const { operation, name } of acknowledged.filter((one) => one.operation === 'CreateProcessingJob')) {
    const job = await aws.sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }));
    expect(job.ProcessingJobStatus, `${operation} ${name} ${job.FailureReason}`).toBe('Completed');
  }
}

/** Every object of every bucket is what its ETag says. @returns keys to ETags */
export async function objectsEqualTheirDigests({ s3 }: AwsClients): Promise<ReadonlyMap<string, string>> {
  const etags = new Map<string, string>();
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  for (const { Name: Bucket } of Buckets) {
    if (Bucket === undefined) continue;
    let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
    while (marker !== undefined) {
      const page: ListObjectVersionsCommandOutput = await s3.send(new ListObjectVersionsCommand({ Bucket, ...marker }));
      const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
      marker = page.IsTruncated ? { KeyMarker, VersionIdMarker } : undefined;
      for (const { Key, VersionId, ETag = '', Size } of page.Versions ?? []) {
        const object = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
        const bytes = (await object.Body?.transformToByteArray()) ?? new Uint8Array();
        expect(bytes.length, `${Key}`).toBe(Size);
        if (!ETag.includes('-')) expect(`"${createHash('md5').update(bytes).digest('hex')}"`, `${Key}`).toBe(ETag);
        etags.set(`${Key}`, ETag);
      }
    }
  }
  return etags;
}

/** No job's folder but its log, and no half-received object, is left. */
export function noFileIsLeft(dataFolder: string): void {
  expect(filesIn(join(dataFolder, 's3', 'incoming'))).toEqual([]);
  const leftovers = filesIn(join(dataFolder, 'jobs')).filter((file) => !/\.log(\.index)?$/.test(file));
  expect(leftovers).toEqual([]);
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

import { fileURLToPath } from 'node:url';
import { createTestServer } from '@slipway/server/testing';
import { expect, it } from 'vitest';
import { drives } from '../support/drives.ts';
import { runPython } from '../support/run-python.ts';

it('boto3 trains, processes, registers, approves, deploys, invokes and deletes, with its waiters', async () => {
  const server = await createTestServer();
  try {
    const script = fileURLToPath(new URL('boto3_client.py', import.meta.url));
    const { stdout, stderr, exitCode } = await runPython(script, server.url);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'ok\n', stderr: '', exitCode: 0 });
    drives('sagemaker', 'CreateTrainingJob', 'DescribeTrainingJob', 'ListTrainingJobs', 'ListTags');
    drives('sagemaker', 'CreateProcessingJob', 'DescribeProcessingJob', 'CreateModelPackageGroup');
    drives('sagemaker', 'CreateModelPackage', 'UpdateModelPackage', 'ListModelPackages', 'CreateModel');
    drives('sagemaker', 'CreateEndpointConfig', 'CreateEndpoint', 'DescribeEndpoint', 'UpdateEndpoint');
    drives('sagemaker', 'DeleteEndpoint');
    drives('sagemaker-runtime', 'InvokeEndpoint');
  } finally {
    await server.close();
  }
});

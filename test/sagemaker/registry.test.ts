import {
  BatchDescribeModelPackageCommand,
  CreateModelCommand,
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  DeleteModelPackageCommand,
  DeleteModelPackageGroupCommand,
  DescribeModelCommand,
  DescribeModelPackageCommand,
  DescribeModelPackageGroupCommand,
  ListModelPackageGroupsCommand,
  ListModelPackagesCommand,
  UpdateModelPackageCommand,
  type ListModelPackagesCommandInput,
  type CreateModelPackageCommandInput,
} from '@aws-sdk/client-sagemaker';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drives } from '../support/drives.ts';
import { IMAGE, ROLE, clientsOf, refusal, type Clients } from './support.ts';

const GROUP = 'churn';
const GROUP_ARN = `arn:aws:sagemaker:us-east-1:000000000000:model-package-group/${GROUP}`;
const arn = (name: string): string => `arn:aws:sagemaker:us-east-1:000000000000:model-package/${name}`;

let server: TestServer;
let clients: Clients;
beforeAll(async () => {
  server = await createTestServer();
  clients = clientsOf(server.url);
  await clients.sagemaker.send(
    new CreateModelPackageGroupCommand({ ModelPackageGroupName: GROUP, ModelPackageGroupDescription: 'who leaves' }),
  );
});
afterAll(() => server.close());

const register = (fields: Partial<CreateModelPackageCommandInput>) =>
  clients.sagemaker.send(
    new CreateModelPackageCommand({
      InferenceSpecification: {
        Containers: [{ Image: IMAGE, ModelDataUrl: 's3://models/model.tar.gz', Environment: { A: '1' } }],
        SupportedContentTypes: ['text/csv'],
        SupportedResponseMIMETypes: ['text/csv'],
      },
      ...fields,
    }),
  );
const describePackage = (name: string) =>
  clients.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: name }));
const versions = async (input: ListModelPackagesCommandInput) => {
  const page = await clients.sagemaker.send(new ListModelPackagesCommand(input));
  return page.ModelPackageSummaryList?.map((item) => item.ModelPackageArn?.split('model-package/')[1]);
};

describe('a model package group', () => {
  it('is described by name and by ARN, listed, and made once', async () => {
    for (const ModelPackageGroupName of [GROUP, GROUP_ARN]) {
      const group = await clients.sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName }));
      expect(group).toMatchObject({
        ModelPackageGroupName: GROUP,
        ModelPackageGroupArn: GROUP_ARN,
        ModelPackageGroupDescription: 'who leaves',
        ModelPackageGroupStatus: 'Completed',
      });
    }
    const listed = await clients.sagemaker.send(new ListModelPackageGroupsCommand({ NameContains: 'chur' }));
    expect(listed.ModelPackageGroupSummaryList).toHaveLength(1);
    const again = new CreateModelPackageGroupCommand({ ModelPackageGroupName: GROUP });
    expect(await refusal(clients.sagemaker.send(again))).toMatchObject({
      name: 'ValidationException',
      message: `Model Package Group already exists: ${GROUP_ARN}`,
    });
  });
});

describe('a model package', () => {
  it('gets the next version of its group and waits for approval', async () => {
    drives('sagemaker', 'CreateModelPackageGroup', 'CreateModelPackage', 'DescribeModelPackage');
    const metrics = { ModelQuality: { Statistics: { ContentType: 'application/json', S3Uri: 's3://models/m.json' } } };
    const first = await register({
      ModelPackageGroupName: GROUP,
      ModelMetrics: metrics,
      CustomerMetadataProperties: { digest: 'sha256:00ff', gate: 'passed' },
    });
    expect(first.ModelPackageArn).toBe(arn(`${GROUP}/1`));
    const second = await register({ ModelPackageGroupName: GROUP_ARN, ModelApprovalStatus: 'Approved' });
    expect(second.ModelPackageArn).toBe(arn(`${GROUP}/2`));
    for (const name of [first.ModelPackageArn!, `${GROUP}/1`]) {
      expect(await describePackage(name)).toMatchObject({
        ModelPackageArn: arn(`${GROUP}/1`),
        ModelPackageGroupName: GROUP,
        ModelPackageVersion: 1,
        ModelPackageStatus: 'Completed',
        ModelApprovalStatus: 'PendingManualApproval',
        ModelMetrics: metrics,
        CustomerMetadataProperties: { digest: 'sha256:00ff', gate: 'passed' },
        InferenceSpecification: { Containers: [{ Image: IMAGE, Environment: { A: '1' } }] },
      });
    }
  });

  it('is listed newest first within its group, and only outside groups by default', async () => {
    drives('sagemaker', 'ListModelPackages');
    await register({ ModelPackageName: 'alone-1' });
    await register({ ModelPackageName: 'alone-2' });
    expect(await versions({ ModelPackageGroupName: GROUP_ARN })).toEqual([`${GROUP}/2`, `${GROUP}/1`]);
    expect(await versions({ ModelPackageGroupName: GROUP, SortOrder: 'Ascending' })).toEqual([
      `${GROUP}/1`,
      `${GROUP}/2`,
    ]);
    expect(await versions({ ModelPackageGroupName: GROUP, ModelApprovalStatus: 'Approved' })).toEqual([`${GROUP}/2`]);
    expect(await versions({})).toEqual(['alone-1', 'alone-2']);
    expect(await versions({ ModelPackageType: 'Versioned' })).toEqual([`${GROUP}/1`, `${GROUP}/2`]);
    expect(await versions({ ModelPackageType: 'Both', NameContains: 'alone' })).toEqual(['alone-1', 'alone-2']);
  });

  it('is approved and rejected, keeps what is said about it, and never becomes pending again', async () => {
    const update = (fields: object) =>
      clients.sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn: arn(`${GROUP}/1`), ...fields }));
    await update({
      ModelApprovalStatus: 'Approved',
      ApprovalDescription: 'looked at it',
      CustomerMetadataProperties: { gate: 'overridden', by: 'me@example.org' },
      CustomerMetadataPropertiesToRemove: ['digest'],
    });
    expect(await describePackage(`${GROUP}/1`)).toMatchObject({
      ModelApprovalStatus: 'Approved',
      ApprovalDescription: 'looked at it',
      CustomerMetadataProperties: { gate: 'overridden', by: 'me@example.org' },
    });
    expect((await describePackage(`${GROUP}/1`)).CustomerMetadataProperties).not.toHaveProperty('digest');
    await update({ ModelApprovalStatus: 'Approved' });
    await update({ ModelApprovalStatus: 'Rejected' });
    const refused = await refusal(update({ ModelApprovalStatus: 'PendingManualApproval' }));
    expect(refused.message).toContain('cannot change from Rejected to PendingManualApproval');
    expect(await describePackage(`${GROUP}/1`)).toMatchObject({ ModelApprovalStatus: 'Rejected' });
  });

  it('is registered once for one ClientToken', async () => {
    const fields = { ModelPackageGroupName: GROUP, ClientToken: 'token-1' };
    const [first, second] = [await register(fields), await register(fields)];
    expect(second.ModelPackageArn).toBe(first.ModelPackageArn);
    const refused = await refusal(register({ ...fields, Domain: 'COMPUTER_VISION' }));
    expect(refused.message).toContain('was used before with other parameters');
  });

  it('becomes a model only once it is approved', async () => {
    const create = (name: string, version: number) =>
      clients.sagemaker.send(
        new CreateModelCommand({
          ModelName: name,
          ExecutionRoleArn: ROLE,
          Containers: [{ ModelPackageName: arn(`${GROUP}/${version}`) }],
        }),
      );
    expect((await refusal(create('rejected', 1))).message).toContain('not approved');
    await create('approved', 2);
    const model = await clients.sagemaker.send(new DescribeModelCommand({ ModelName: 'approved' }));
    expect(model.Containers).toEqual([{ ModelPackageName: arn(`${GROUP}/2`), Mode: 'SingleModel' }]);
    expect(model).not.toHaveProperty('VpcConfig');
    expect((await refusal(create('none', 99))).message).toContain(`${arn(`${GROUP}/99`)} does not exist`);
  });

  it('is deleted, its number is not used again, and its group only goes without versions', async () => {
    const last = await register({ ModelPackageGroupName: GROUP });
    await clients.sagemaker.send(new DeleteModelPackageCommand({ ModelPackageName: last.ModelPackageArn! }));
    const next = await register({ ModelPackageGroupName: GROUP });
    expect(next.ModelPackageArn).not.toBe(last.ModelPackageArn);
    const group = new DeleteModelPackageGroupCommand({ ModelPackageGroupName: GROUP });
    expect(await refusal(clients.sagemaker.send(group))).toMatchObject({
      name: 'ConflictException',
      message: 'Model Package Group cannot be deleted because it still contains Model Packages',
    });
    const found = await clients.sagemaker.send(
      new BatchDescribeModelPackageCommand({ ModelPackageArnList: [next.ModelPackageArn!, last.ModelPackageArn!] }),
    );
    expect(Object.keys(found.ModelPackageSummaries ?? {})).toEqual([next.ModelPackageArn]);
    expect(Object.keys(found.BatchDescribeModelPackageErrorMap ?? {})).toEqual([last.ModelPackageArn]);
  });

  it.each<[string, Partial<CreateModelPackageCommandInput>, string]>([
    ['a group that does not exist', { ModelPackageGroupName: 'nobody' }, 'Model Package Group nobody does not exist.'],
    ['neither name nor group', {}, 'either ModelPackageName or ModelPackageGroupName'],
    ['both', { ModelPackageName: 'a', ModelPackageGroupName: GROUP }, 'both'],
    [
      'metadata with a character AWS refuses',
      { ModelPackageGroupName: GROUP, CustomerMetadataProperties: { note: '50%' } },
      'customerMetadataProperties',
    ],
    ['tags on a version', { ModelPackageGroupName: GROUP, Tags: [{ Key: 'a', Value: 'b' }] }, 'cannot carry tags'],
  ])('refuses %s', async (_what, fields, sentence) => {
    const refused = await refusal(register(fields));
    expect(refused.name).toBe('ValidationException');
    expect(refused.message.toLowerCase()).toContain(sentence.toLowerCase());
  });
});

import {
  AddTagsCommand,
  CreateTrainingJobCommand,
  DeleteTagsCommand,
  DescribeTrainingJobCommand,
  ListTagsCommand,
  ListTrainingJobsCommand,
  type ListTrainingJobsCommandInput,
} from '@aws-sdk/client-sagemaker';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drives } from '../support/drives.ts';
import { channel, clientsOf, makeBucket, refusal, trainingEnd, trainingRequest } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.close());

describe('ListTrainingJobs', () => {
  const other = () => clientsOf(server.url, '222233334444', 'eu-west-1');
  beforeAll(async () => {
    const made = other();
    await makeBucket(made, 'lists');
    for (const name of ['b-1', 'a-2', 'b-3', 'a-4', 'c-5']) {
      await made.sagemaker.send(
        new CreateTrainingJobCommand(
          trainingRequest(name, {
            InputDataConfig: [channel('train', 's3://lists/none')],
            Tags: [{ Key: 'n', Value: name }],
          }),
        ),
      );
      await trainingEnd(made, name);
    }
  });

  const names = async (input: ListTrainingJobsCommandInput) => {
    const page = await other().sagemaker.send(new ListTrainingJobsCommand(input));
    return { names: page.TrainingJobSummaries?.map((job) => job.TrainingJobName), next: page.NextToken };
  };

  it('gives the newest first, and other orders when asked', async () => {
    drives('sagemaker', 'ListTrainingJobs');
    expect(await names({})).toEqual({ names: ['c-5', 'a-4', 'b-3', 'a-2', 'b-1'], next: undefined });
    expect((await names({ SortOrder: 'Ascending' })).names).toEqual(['b-1', 'a-2', 'b-3', 'a-4', 'c-5']);
    expect((await names({ SortBy: 'Name' })).names).toEqual(['a-2', 'a-4', 'b-1', 'b-3', 'c-5']);
    expect((await names({ SortBy: 'Status', SortOrder: 'Descending' })).names).toHaveLength(5);
  });

  it('filters by name, status and time', async () => {
    expect((await names({ NameContains: 'a-' })).names).toEqual(['a-4', 'a-2']);
    expect((await names({ StatusEquals: 'Completed' })).names).toEqual([]);
    expect((await names({ StatusEquals: 'Failed' })).names).toHaveLength(5);
    const third = await other().sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: 'b-3' }));
    expect((await names({ CreationTimeAfter: third.CreationTime! })).names).toEqual(['c-5', 'a-4']);
    expect((await names({ CreationTimeBefore: third.CreationTime! })).names).toEqual(['a-2', 'b-1']);
  });

  it('pages without gaps or repetitions, and refuses a token of another question', async () => {
    const first = await names({ MaxResults: 2, SortBy: 'Name' });
    expect(first.names).toEqual(['a-2', 'a-4']);
    const second = await names({ MaxResults: 2, SortBy: 'Name', NextToken: first.next! });
    expect(second.names).toEqual(['b-1', 'b-3']);
    const last = await names({ MaxResults: 2, SortBy: 'Name', NextToken: second.next! });
    expect(last).toEqual({ names: ['c-5'], next: undefined });
    for (const NextToken of [first.next!, 'nonsense']) {
      const refused = await refusal(other().sagemaker.send(new ListTrainingJobsCommand({ NextToken })));
      expect(refused).toMatchObject({ name: 'ValidationException' });
    }
  });

  it('shows an account and region only its own jobs', async () => {
    for (const [account, region] of [
      ['222233334444', 'us-east-1'],
      ['000000000000', 'eu-west-1'],
    ] as const) {
      const page = await clientsOf(server.url, account, region).sagemaker.send(new ListTrainingJobsCommand({}));
      expect(page.TrainingJobSummaries).toEqual([]);
    }
  });

  it('tags jobs', async () => {
    const { sagemaker } = other();
    const ResourceArn = 'arn:aws:sagemaker:eu-west-1:222233334444:training-job/a-2';
    await sagemaker.send(
      new AddTagsCommand({
        ResourceArn,
        Tags: [
          { Key: 'team', Value: 'x' },
          { Key: 'n', Value: 'y' },
        ],
      }),
    );
    expect((await sagemaker.send(new ListTagsCommand({ ResourceArn }))).Tags).toEqual([
      { Key: 'n', Value: 'y' },
      { Key: 'team', Value: 'x' },
    ]);
    await sagemaker.send(new DeleteTagsCommand({ ResourceArn, TagKeys: ['n'] }));
    expect((await sagemaker.send(new ListTagsCommand({ ResourceArn }))).Tags).toEqual([{ Key: 'team', Value: 'x' }]);
    const none = { ResourceArn: ResourceArn.replace('a-2', 'none') };
    expect((await sagemaker.send(new ListTagsCommand(none))).Tags).toEqual([]);
    const refused = await refusal(sagemaker.send(new AddTagsCommand({ ...none, Tags: [{ Key: 'k', Value: 'v' }] })));
    expect(refused.name).toBe('ValidationException');
  });
});

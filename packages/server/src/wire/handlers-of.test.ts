import { Readable } from 'node:stream';
import type * as S3 from '@aws-sdk/client-s3';
import type * as SageMaker from '@aws-sdk/client-sagemaker';
import type * as Runtime from '@aws-sdk/client-sagemaker-runtime';
import { describe, expectTypeOf, it } from 'vitest';
import type { HandlersOf, InputOf, OutputOf } from './handlers-of.ts';
import type { Handlers } from './service.ts';

describe('the handlers’ types', () => {
  it('leave no required member undefined, at any depth', () => {
    type Input = InputOf<typeof SageMaker, 'CreateTrainingJob'>;
    expectTypeOf<Input['TrainingJobName']>().toEqualTypeOf<string>();
    expectTypeOf<NonNullable<Input['InputDataConfig']>[number]['ChannelName']>().toEqualTypeOf<string>();
    expectTypeOf<Input['HyperParameters']>().toEqualTypeOf<Record<string, string> | undefined>();
  });

  it('give a streaming body as a stream and any other as bytes', () => {
    expectTypeOf<InputOf<typeof S3, 'PutObject'>['Body']>().toEqualTypeOf<Readable>();
    expectTypeOf<InputOf<typeof Runtime, 'InvokeEndpoint'>['Body']>().toEqualTypeOf<Uint8Array>();
    expectTypeOf<Readable>().toExtend<OutputOf<typeof S3, 'GetObject'>['Body']>();
  });

  it('refuse answers with a wrong value and operations that do not exist', () => {
    const handlers = {
      StopTrainingJob: ({ TrainingJobName }) => {
        expectTypeOf(TrainingJobName).toEqualTypeOf<string>();
        return {};
      },
    } satisfies Partial<HandlersOf<typeof SageMaker>>;
    expectTypeOf(handlers).toExtend<Handlers>();
    // @ts-expect-error AWS has no such operation.
    ({ TrainFaster: () => ({}) }) satisfies Partial<HandlersOf<typeof SageMaker>>;
    const finished = { TrainingJobStatus: 'Finished' } as const;
    // @ts-expect-error Finished is no status of a training job.
    ({ DescribeTrainingJob: () => finished }) satisfies Partial<HandlersOf<typeof SageMaker>>;
  });
});

import type { Engine } from '../../../engine/engine.ts';
import type { ServerParts } from '../../parts.ts';
import { arnOf } from '../arns.ts';
import { jobStore, type JobRow, type JobSummaryRow } from '../jobs/store.ts';
import { compare, nameContains, timeFilters, paging } from '../listing.ts';
import type { Operations, Output } from '../operation-types.ts';
import { NotSupportedYet } from '../not-supported.ts';
import type { S3Access } from '../s3-access.ts';
import type { TagStore } from '../tags/store.ts';
import { checkTrainingRequest, metricDefinitionsOf } from './definition.ts';
import { DEFAULT_RUNTIME_SECONDS, trainingEffects } from './effects.ts';
import { TrainingJobExists, TrainingJobNotDeletable, TrainingJobNotFound, TrainingJobNotStoppable } from './errors.ts';
import { isTerminal, newTrainingJob, trainingJobMachine, type TrainingDetail } from './machine.ts';
import type { TrainingRequest } from './prepare.ts';

type Described = Output<'DescribeTrainingJob'>;

export function trainingJobs(parts: ServerParts, s3: S3Access, tags: TagStore) {
  const { db, ids, machines, engine } = parts;
  const store = jobStore(db, 'training');
  machines.register(trainingJobMachine(parts.timing, store), trainingEffects(parts, store, s3));

  const existing = (owner: Parameters<typeof store.find>[0], name: string): JobRow => {
    const row = store.find(owner, name);
    if (row === undefined || row.deleted === 1) throw new TrainingJobNotFound();
    return row;
  };

  const operations = {
    CreateTrainingJob(input, { owner, now }) {
      const { Tags, ...request } = input;
      const arn = arnOf(owner, 'training-job', input.TrainingJobName);
      if (store.find(owner, input.TrainingJobName) !== undefined) throw new TrainingJobExists(arn);
      checkTrainingRequest(engine, input);
      tags.check(Tags);
      const jobId = `training-${ids.ulid()}`;
      const hasMetrics = metricDefinitionsOf(engine, input).length > 0;
      db.transaction(() => {
        store.insert(owner, { name: input.TrainingJobName, jobId, request, createdAt: now });
        tags.add(owner, arn, Tags);
        machines.create('training-job', owner, input.TrainingJobName, newTrainingJob(jobId, now, hasMetrics));
      });
      return { TrainingJobArn: arn };
    },

    DescribeTrainingJob({ TrainingJobName }, { owner }) {
      return described(engine, arnOf(owner, 'training-job', TrainingJobName), existing(owner, TrainingJobName));
    },

    ListTrainingJobs(input, { owner }) {
      if (input.WarmPoolStatusEquals !== undefined) throw new NotSupportedYet('warm pools');
      const page = store.list.page({
        // AWS documents Ascending, and gives the newest first.
        ...paging(owner, input, input.SortBy !== 'Name'),
        conditions: [
          nameContains(input.NameContains),
          compare('status', '=', 'status', input.StatusEquals),
          ...timeFilters(input),
        ],
      });
      const summaries = page.rows.map((row) => summary(arnOf(owner, 'training-job', row.name), row));
      return { TrainingJobSummaries: summaries, NextToken: page.nextToken };
    },

    StopTrainingJob({ TrainingJobName }, { owner }) {
      const row = existing(owner, TrainingJobName);
      if (isTerminal(row)) throw new TrainingJobNotStoppable(row.status);
      db.transaction(() => machines.signal('training-job', owner, TrainingJobName, { kind: 'stop' }));
      return {};
    },

    DeleteTrainingJob({ TrainingJobName }, { owner, now }) {
      const row = existing(owner, TrainingJobName);
      if (!isTerminal(row)) throw new TrainingJobNotDeletable(row.status);
      db.transaction(() => {
        store.erase(owner, TrainingJobName, now);
        tags.clear(owner, arnOf(owner, 'training-job', TrainingJobName));
      });
      return {};
    },
  } satisfies Operations;
  return {
    operations,
    exists: (owner: Parameters<typeof store.find>[0], name: string) => store.find(owner, name)?.deleted === 0,
  };
}

function described(engine: Engine, arn: string, row: JobRow): Described {
  const request = JSON.parse(row.request) as TrainingRequest;
  const detail = JSON.parse(row.detail) as TrainingDetail;
  const definitions = metricDefinitionsOf(engine, request).map(({ Name, Regex }) => ({ Name, Regex }));
  return {
    ...(request as Omit<TrainingRequest, 'Tags' | 'ModelPackageConfig' | 'SessionChainingConfig'>),
    TrainingJobArn: arn,
    TrainingJobStatus: row.status as Described['TrainingJobStatus'],
    SecondaryStatus: row.secondary_status as Described['SecondaryStatus'],
    HyperParameters: request.HyperParameters ?? {},
    AlgorithmSpecification: {
      ...request.AlgorithmSpecification,
      TrainingInputMode: request.AlgorithmSpecification?.TrainingInputMode ?? 'File',
      EnableSageMakerMetricsTimeSeries: request.AlgorithmSpecification?.EnableSageMakerMetricsTimeSeries ?? false,
      ...(definitions.length === 0 ? {} : { MetricDefinitions: definitions }),
    },
    OutputDataConfig: {
      ...request.OutputDataConfig,
      // Estimator.attach reads this member without asking whether it is there.
      KmsKeyId: request.OutputDataConfig.KmsKeyId ?? '',
      CompressionType: request.OutputDataConfig.CompressionType ?? 'GZIP',
    },
    StoppingCondition: { MaxRuntimeInSeconds: DEFAULT_RUNTIME_SECONDS, ...request.StoppingCondition },
    EnableNetworkIsolation: request.EnableNetworkIsolation ?? false,
    EnableInterContainerTrafficEncryption: request.EnableInterContainerTrafficEncryption ?? false,
    EnableManagedSpotTraining: request.EnableManagedSpotTraining ?? false,
    CreationTime: new Date(row.created_at),
    LastModifiedTime: new Date(row.modified_at),
    ...progress(detail),
  } as Described;
}

/** What Describe adds as the job goes on; what has not happened yet is absent. */
function progress(detail: TrainingDetail): Partial<Described> {
  return {
    SecondaryStatusTransitions: detail.transitions.map((transition) => ({
      Status: transition.status as Described['SecondaryStatus'],
      StartTime: new Date(transition.startTime),
      EndTime: transition.endTime === undefined ? undefined : new Date(transition.endTime),
      StatusMessage: transition.message,
    })),
    ...(detail.artifacts === undefined ? {} : { ModelArtifacts: { S3ModelArtifacts: detail.artifacts } }),
    ...(detail.trainingStartTime === undefined ? {} : { TrainingStartTime: new Date(detail.trainingStartTime) }),
    ...(detail.trainingEndTime === undefined ? {} : { TrainingEndTime: new Date(detail.trainingEndTime) }),
    ...(detail.runSeconds === undefined
      ? {}
      : { TrainingTimeInSeconds: detail.runSeconds, BillableTimeInSeconds: detail.runSeconds }),
    ...(detail.failureReason === undefined ? {} : { FailureReason: detail.failureReason }),
    ...(detail.metrics === undefined || detail.metrics.length === 0
      ? {}
      : {
          FinalMetricDataList: detail.metrics.map(({ name, value }) => ({
            MetricName: name,
            Value: value,
            Timestamp: new Date(detail.trainingEndTime ?? 0),
          })),
        }),
  };
}

function summary(arn: string, row: JobSummaryRow) {
  type Summary = NonNullable<Output<'ListTrainingJobs'>['TrainingJobSummaries']>[number];
  return {
    TrainingJobName: row.name,
    TrainingJobArn: arn,
    CreationTime: new Date(row.created_at),
    TrainingEndTime: row.ended_at === null ? undefined : new Date(row.ended_at),
    LastModifiedTime: new Date(row.modified_at),
    TrainingJobStatus: row.status as Summary['TrainingJobStatus'],
    SecondaryStatus: row.secondary_status as Summary['SecondaryStatus'],
  } satisfies Summary;
}

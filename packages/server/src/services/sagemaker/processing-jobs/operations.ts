import type { Owner } from '@slipway/kit/machine';
import type { ServerParts } from '../../parts.ts';
import { arnOf } from '../arns.ts';
import { jobStore, type JobRow, type JobSummaryRow } from '../jobs/store.ts';
import { compare, nameContains, timeFilters, paging } from '../listing.ts';
import type { Operations, Output } from '../operation-types.ts';
import type { S3Access } from '../s3-access.ts';
import type { TagStore } from '../tags/store.ts';
import { checkProcessingRequest, type ProcessingRequest } from './definition.ts';
import { DEFAULT_RUNTIME_SECONDS, processingEffects } from './effects.ts';
import {
  ProcessingJobExists,
  ProcessingJobNotDeletable,
  ProcessingJobNotFound,
  ProcessingJobNotStoppable,
} from './errors.ts';
import { isTerminal, newProcessingJob, processingJobMachine, type ProcessingDetail } from './machine.ts';

type Described = Output<'DescribeProcessingJob'>;

export function processingJobs(parts: ServerParts, s3: S3Access, tags: TagStore) {
  const { db, ids, machines, engine } = parts;
  const store = jobStore(db, 'processing');
  machines.register(processingJobMachine(parts.timing, store), processingEffects({ parts, store, s3 }));

  const existing = (owner: Owner, name: string): JobRow => {
    const row = store.find(owner, name);
    if (row === undefined || row.deleted === 1) throw new ProcessingJobNotFound(name);
    return row;
  };

  const operations = {
    CreateProcessingJob(input, { owner, now }) {
      const { Tags, ...request } = input;
      const name = input.ProcessingJobName;
      const arn = arnOf(owner, 'processing-job', name);
      if (store.find(owner, name) !== undefined) throw new ProcessingJobExists(arn);
      checkProcessingRequest(engine, input);
      tags.check(Tags);
      const jobId = `processing-${ids.ulid()}`;
      db.transaction(() => {
        store.insert(owner, { name, jobId, request, createdAt: now });
        tags.add(owner, arn, Tags);
        machines.create('processing-job', owner, name, newProcessingJob(jobId, now));
      });
      return { ProcessingJobArn: arn };
    },

    DescribeProcessingJob({ ProcessingJobName }, { owner }) {
      return described(arnOf(owner, 'processing-job', ProcessingJobName), existing(owner, ProcessingJobName));
    },

    ListProcessingJobs(input, { owner }) {
      const page = store.list.page({
        // AWS documents Ascending, and gives the newest first.
        ...paging(owner, input, input.SortBy !== 'Name'),
        conditions: [
          nameContains(input.NameContains),
          compare('status', '=', 'status', input.StatusEquals),
          ...timeFilters(input),
        ],
      });
      const summaries = page.rows.map((row) => summary(arnOf(owner, 'processing-job', row.name), row));
      return { ProcessingJobSummaries: summaries, NextToken: page.nextToken };
    },

    StopProcessingJob({ ProcessingJobName }, { owner }) {
      const row = existing(owner, ProcessingJobName);
      if (isTerminal(row)) throw new ProcessingJobNotStoppable(row.status);
      db.transaction(() => machines.signal('processing-job', owner, ProcessingJobName, { kind: 'stop' }));
      return {};
    },

    DeleteProcessingJob({ ProcessingJobName }, { owner, now }) {
      const row = existing(owner, ProcessingJobName);
      if (!isTerminal(row)) throw new ProcessingJobNotDeletable(row.status);
      db.transaction(() => {
        store.erase(owner, ProcessingJobName, now);
        tags.clear(owner, arnOf(owner, 'processing-job', ProcessingJobName));
      });
      return {};
    },
  } satisfies Operations;
  return { operations, exists: (owner: Owner, name: string) => store.find(owner, name)?.deleted === 0 };
}

function described(arn: string, row: JobRow): Described {
  const request = JSON.parse(row.request) as ProcessingRequest;
  const detail = JSON.parse(row.detail) as ProcessingDetail;
  return {
    ...request,
    ProcessingJobArn: arn,
    ProcessingJobStatus: row.status as Described['ProcessingJobStatus'],
    StoppingCondition: { MaxRuntimeInSeconds: DEFAULT_RUNTIME_SECONDS, ...request.StoppingCondition },
    CreationTime: new Date(row.created_at),
    LastModifiedTime: new Date(row.modified_at),
    ...(detail.startTime === undefined ? {} : { ProcessingStartTime: new Date(detail.startTime) }),
    ...(detail.endTime === undefined ? {} : { ProcessingEndTime: new Date(detail.endTime) }),
    ...(detail.exitMessage === undefined ? {} : { ExitMessage: detail.exitMessage }),
    ...(detail.failureReason === undefined ? {} : { FailureReason: detail.failureReason }),
  } as Described;
}

function summary(arn: string, row: JobSummaryRow) {
  type Summary = NonNullable<Output<'ListProcessingJobs'>['ProcessingJobSummaries']>[number];
  return {
    ProcessingJobName: row.name,
    ProcessingJobArn: arn,
    CreationTime: new Date(row.created_at),
    ProcessingEndTime: row.ended_at === null ? undefined : new Date(row.ended_at),
    LastModifiedTime: new Date(row.modified_at),
    ProcessingJobStatus: row.status as Summary['ProcessingJobStatus'],
  } satisfies Summary;
}

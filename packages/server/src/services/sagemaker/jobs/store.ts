import type { Instant } from '@slipway/kit/clock';
import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';
import { listing, type Listing } from '../listing.ts';

export type JobKind = 'training' | 'processing';

/** A job as it is stored; `request` and `detail` are JSON. */
export interface JobRow {
  readonly name: string;
  readonly job_id: string;
  readonly deleted: number;
  readonly status: string;
  readonly secondary_status: string;
  readonly created_at: Instant;
  readonly modified_at: Instant;
  readonly ended_at: Instant | null;
  readonly request: string;
  readonly detail: string;
}

/** What lists show; a list never reads requests or details. */
export type JobSummaryRow = Omit<JobRow, 'request' | 'detail' | 'job_id' | 'deleted'>;

export interface NewJob {
  readonly name: string;
  readonly jobId: string;
  readonly request: object;
  readonly createdAt: Instant;
}

export interface JobProgress {
  readonly status: string;
  readonly secondaryStatus: string;
  readonly endedAt: Instant | undefined;
  /** What Describe shows besides the request. */
  readonly detail: object;
}

export interface JobStore {
  find(owner: Owner, name: string): JobRow | undefined;
  /** Before the machine's first step gives it a status it has none. */
  insert(owner: Owner, job: NewJob): void;
  update(owner: Owner, name: string, progress: JobProgress, now: Instant): void;
  /** Forgets everything but the name. */
  erase(owner: Owner, name: string, now: Instant): void;
  readonly list: Listing<JobSummaryRow>;
}

const FIND = `
  SELECT name, job_id, deleted, status, secondary_status, created_at, modified_at, ended_at, request, detail
  FROM sagemaker_jobs WHERE account = :account AND region = :region AND kind = :kind AND name = :name`;

const INSERT = `
  INSERT INTO sagemaker_jobs
    (account, region, kind, name, job_id, status, secondary_status, created_at, modified_at, request, detail)
  VALUES (:account, :region, :kind, :name, :jobId, 'InProgress', '', :createdAt, :createdAt, :request, '{}')`;

const UPDATE = `
  UPDATE sagemaker_jobs
  SET status = :status, secondary_status = :secondaryStatus, ended_at = :endedAt, detail = :detail, modified_at = :now
  WHERE account = :account AND region = :region AND kind = :kind AND name = :name
    AND (status <> :status OR secondary_status <> :secondaryStatus OR detail <> :detail)`;

const ERASE = `
  UPDATE sagemaker_jobs SET deleted = 1, request = '{}', detail = '{}', modified_at = :now
  WHERE account = :account AND region = :region AND kind = :kind AND name = :name`;

type Key = { account: string; region: string; kind: string; name: string };

export function jobStore(db: Database, kind: JobKind): JobStore {
  const find = db.statement<Key, JobRow>(FIND);
  const insert = db.statement<Key & { jobId: string; createdAt: number; request: string }>(INSERT);
  const update = db.statement<
    Key & { status: string; secondaryStatus: string; endedAt: number | null; detail: string; now: number }
  >(UPDATE);
  const erase = db.statement<Key & { now: number }>(ERASE);
  const key = (owner: Owner, name: string): Key => ({ account: owner.account, region: owner.region, kind, name });
  return {
    find: (owner, name) => find.get(key(owner, name)),
    insert(owner, job) {
      insert.run({
        ...key(owner, job.name),
        jobId: job.jobId,
        createdAt: job.createdAt,
        request: JSON.stringify(job.request),
      });
    },
    update(owner, name, progress, now) {
      update.run({
        ...key(owner, name),
        status: progress.status,
        secondaryStatus: progress.secondaryStatus,
        endedAt: progress.endedAt ?? null,
        detail: JSON.stringify(progress.detail),
        now,
      });
    },
    erase(owner, name, now) {
      erase.run({ ...key(owner, name), now });
    },
    list: listing<JobSummaryRow>({
      db,
      table: 'sagemaker_jobs',
      columns: 'name, status, secondary_status, created_at, modified_at, ended_at',
      always: `kind = '${kind}' AND deleted = 0`,
      sorts: { CreationTime: 'sequence', Name: 'name', Status: 'status' },
    }),
  };
}

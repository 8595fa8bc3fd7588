import type { Migration } from '@slipway/kit/sqlite';
import core from './0001-core.ts';
import s3 from './0002-s3.ts';
import sagemakerJobs from './0003-sagemaker-jobs.ts';
import sagemakerHosting from './0004-sagemaker-hosting.ts';
import registry from './0005-registry.ts';
import logs from './0006-logs.ts';
import tags from './0007-tags.ts';

/** The one list of schema steps, in order. A new one takes the next number; none is edited after a release. */
export const MIGRATIONS: readonly Migration[] = [core, s3, sagemakerJobs, sagemakerHosting, registry, logs, tags];

import type { Service } from '../wire/service.ts';
import { createIam } from './iam/index.ts';
import { createLogs } from './logs/index.ts';
import type { ServerParts } from './parts.ts';
import { createS3 } from './s3/index.ts';
import { createSagemaker } from './sagemaker/index.ts';
import { createSagemakerRuntime } from './sagemaker-runtime/index.ts';
import { createSts } from './sts/index.ts';

/** The one list of what the server serves: a line a service. Each registers its machines when it is made. */
export const SERVICES: readonly ((parts: ServerParts) => Service)[] = [
  createS3,
  createSts,
  createIam,
  createLogs,
  createSagemaker,
  createSagemakerRuntime,
];

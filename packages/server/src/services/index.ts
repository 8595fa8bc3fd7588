import type { Service } from '../wire/service.ts';
import type { ServerParts } from './parts.ts';
import { createS3 } from './s3/index.ts';

/** The one list of what the server serves: a line a service. Each registers its machines when it is made. */
export const SERVICES: readonly ((parts: ServerParts) => Service)[] = [createS3];

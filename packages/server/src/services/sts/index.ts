import type { Handlers, Service } from '../../wire/service.ts';
import type { ServerParts } from '../parts.ts';
import { assumeRole, getCallerIdentity, getSessionToken } from './operations.ts';

/** AWS STS: who am I, and credentials for another account. It keeps nothing. */
export function createSts(_parts: ServerParts): Service {
  const operations = {
    AssumeRole: assumeRole,
    GetCallerIdentity: getCallerIdentity,
    GetSessionToken: getSessionToken,
  } satisfies Handlers;
  return { model: 'sts', operations };
}

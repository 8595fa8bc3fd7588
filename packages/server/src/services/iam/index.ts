import type { Handlers, Service } from '../../wire/service.ts';
import type { ServerParts } from '../parts.ts';
import { getRole, simulatePrincipalPolicy } from './operations.ts';

/** As much of IAM as clients ask before they start work. It keeps nothing. */
export function createIam(_parts: ServerParts): Service {
  const operations = { GetRole: getRole, SimulatePrincipalPolicy: simulatePrincipalPolicy } satisfies Handlers;
  return { model: 'iam', operations };
}

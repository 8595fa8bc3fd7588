import type { Clock } from '@slipway/kit/clock';
import type { Database } from '@slipway/kit/sqlite';
import type { Handlers, Service } from '../../wire/service.ts';
import { greetingOperations } from './greetings/operations.ts';
import { greetingStore } from './greetings/store.ts';

/**
 * What a service looks like, small enough to copy; nobody is served it (it is not in `services/index.ts`). A service of
 * AWS takes its model from `scripts/pull-models.ts`, its handlers' types from `HandlersOf<typeof TheClient>`, its table
 * from `migrations/`, and its parts from `ServerParts`, of which this one needs two.
 */
export function createHello({ db, clock }: { readonly db: Database; readonly clock: Clock }): Service {
  const greetings = greetingStore(db);
  return { model: 'hello', operations: { ...greetingOperations({ greetings, clock }) } satisfies Handlers };
}

import type { CatalogEntry } from './model.ts';
import type { Service } from './service.ts';

/**
 * The services by model name.
 *
 * @throws Error for a service without a model, two services with one model, or a handler without a model operation or for one
 * that answers a stream of events, which no protocol here prints yet: each is a mistake in the program, and the server does not start with it
 */
export function serviceTable(
  services: readonly Service[],
  catalog: ReadonlyMap<string, CatalogEntry>,
): ReadonlyMap<string, Service> {
  const table = new Map<string, Service>();
  for (const service of services) {
    const entry = catalog.get(service.model);
    if (entry === undefined) throw new Error(`There is no model '${service.model}' in models/catalog.json`);
    if (table.has(service.model)) throw new Error(`Two services are registered for the model '${service.model}'`);
    const known = new Set(entry.operations.split(' '));
    for (const operation of Object.keys(service.operations)) {
      if (!known.has(operation)) throw new Error(`The model '${service.model}' has no operation '${operation}'`);
      if (entry.eventStreams?.includes(operation) === true) {
        throw new Error(`The operation '${operation}' of '${service.model}' answers a stream of events`);
      }
    }
    table.set(service.model, service);
  }
  return table;
}

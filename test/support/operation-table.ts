import { tmpdir } from 'node:os';
import { systemClock } from '@slipway/kit/clock';
import { systemIds } from '@slipway/kit/ids';
import { createRunner } from '@slipway/kit/machine/runner';
import { openDatabase } from '@slipway/kit/sqlite';
import { MIGRATIONS } from '../../packages/server/src/migrations/index.ts';
import { SERVICES } from '../../packages/server/src/services/index.ts';
import type { ServerParts } from '../../packages/server/src/services/parts.ts';
import { TIMINGS } from '../../packages/server/src/timing.ts';
import { recordingLogger } from './wire-server.ts';

/** Parts that making a service must not use yet: a service that does anything before it is started fails here. */
function untouchable<T>(name: string): T {
  const refuse = (): never => {
    throw new Error(`making a service used ${name}`);
  };
  return new Proxy(refuse, { get: () => refuse }) as unknown as T;
}

/** The operations that have a handler, by model name: asked of the services themselves. */
export function operationTable(): ReadonlyMap<string, readonly string[]> {
  const clock = systemClock();
  const db = openDatabase(':memory:', MIGRATIONS);
  const parts: ServerParts = {
    db,
    clock,
    ids: systemIds(clock),
    machines: createRunner({ db, clock, onError: () => undefined }),
    engine: untouchable('the engine'),
    aws: untouchable('another service'),
    log: recordingLogger(),
    timing: TIMINGS.instant,
    routes: untouchable('the routes'),
    logFiles: untouchable('the log files'),
    dataFolder: `${tmpdir()}/slipway-operation-table`,
    baseUrl: untouchable('the address'),
  };
  return new Map(
    SERVICES.map((create) => {
      const service = create(parts);
      return [service.model, Object.keys(service.operations).sort()] as const;
    }),
  );
}

import type { Clock } from '@slipway/kit/clock';
import type { Ids } from '@slipway/kit/ids';
import type { Logger } from '@slipway/kit/log';
import type { Owner } from '@slipway/kit/machine';
import type { MachineRunner } from '@slipway/kit/machine/runner';
import type { Database } from '@slipway/kit/sqlite';
import type { Engine } from '../engine/engine.ts';
import type { LogFiles } from '../log-files.ts';
import type { Routes } from '../serving/routes.ts';
import type { Timing } from '../timing.ts';

/**
 * Calls an operation of another service in this process, through the same handler that the wire calls but without bytes.
 * This is how one service uses another: it never imports it.
 */
export type CallAws = <Output = Record<string, unknown>>(
  service: string,
  operation: string,
  input: Record<string, unknown>,
  owner: Owner,
  signal?: AbortSignal,
) => Promise<Output>;

/** What a service is made of; handed in once at start. */
export interface ServerParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly machines: MachineRunner;
  readonly engine: Engine;
  readonly aws: CallAws;
  readonly log: Logger;
  /** How long states last in which nothing really happens. */
  readonly timing: Timing;
  /** Which workers answer for each endpoint: SageMaker sets them, its runtime service asks. */
  readonly routes: Routes;
  /** Where services register the files that become CloudWatch log streams. */
  readonly logFiles: LogFiles;
  /** Absolute path of the data folder. A service keeps files only in `<dataFolder>/<service>/`. */
  readonly dataFolder: string;
  /** The base URL of this server, for what jobs get as AWS_ENDPOINT_URL. Known once it listens. */
  readonly baseUrl: () => string;
}

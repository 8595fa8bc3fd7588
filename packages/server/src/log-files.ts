import type { Clock } from '@slipway/kit/clock';
import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';

/** Log streams whose events are lines of a file that a process writes (a job's stdout, a worker's). */
export interface LogFiles {
  /** Names the file as a stream of a group, creating both. Idempotent; joins the caller's transaction. */
  register(owner: Owner, group: string, stream: string, path: string): void;
}

const sql = {
  addGroup: `INSERT INTO log_groups (account, region, name, created_at) VALUES (:account, :region, :group, :now)
    ON CONFLICT DO NOTHING`,
  addStream: `INSERT INTO log_streams (account, region, log_group, name, path, created_at)
    VALUES (:account, :region, :group, :stream, :path, :now)
    ON CONFLICT DO UPDATE SET path = excluded.path`,
};

type AtGroup = { account: string; region: string; group: string; now: number };

/** What the Logs service reads; the files themselves are written by others. */
export function createLogFiles(db: Database, clock: Clock): LogFiles {
  const addGroup = db.statement<AtGroup>(sql.addGroup);
  const addStream = db.statement<AtGroup & { stream: string; path: string }>(sql.addStream);
  return {
    register({ account, region }, group, stream, path) {
      const at = { account, region, group, now: clock.now() };
      db.transaction(() => {
        addGroup.run(at);
        addStream.run({ ...at, stream, path });
      });
    },
  };
}

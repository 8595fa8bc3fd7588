import type { Instant } from '../clock.ts';
import type { Database } from '../sqlite.ts';

export interface MachineRow {
  readonly id: number;
  readonly account: string;
  readonly region: string;
  readonly kind: string;
  readonly key: string;
  readonly state: string;
  readonly version: number;
  readonly wake_at: Instant | null;
  readonly done_at: Instant | null;
}

export interface EffectRow {
  readonly id: number;
  readonly machine: number;
  readonly kind: string;
  readonly body: string;
  readonly attempts: number;
}

/** A machine that could not step, for the page that shows the server's state. */
export interface ParkedMachine {
  readonly kind: string;
  readonly key: string;
  readonly error: string;
}

type MachineKey = { account: string; region: string; kind: string; key: string };

type NewMachine = MachineKey & { state: string; wakeAt: Instant };
type StepRow = { id: number; version: number; state: string; wakeAt: Instant | null; doneAt: Instant | null };

const COLUMNS = 'id, account, region, kind, key, state, version, wake_at, done_at';

/** The rows of the runner. Every method is one statement; the runner puts them into transactions. */
export function machineStore(db: Database) {
  return { ...machines(db), ...signals(db), ...effects(db) };
}

export type MachineStore = ReturnType<typeof machineStore>;

function machines(db: Database) {
  const insert = db.statement<NewMachine>(
    `INSERT INTO machines (account, region, kind, key, state, wake_at)
     VALUES (:account, :region, :kind, :key, :state, :wakeAt)`,
  );
  const live = db.statement<MachineKey, { id: number; parked: string | null }>(
    `SELECT id, parked FROM machines
     WHERE account = :account AND region = :region AND kind = :kind AND key = :key AND done_at IS NULL`,
  );
  const byId = db.statement<{ id: number }, MachineRow>(`SELECT ${COLUMNS} FROM machines WHERE id = :id`);
  const due = db.statement<{ now: Instant; limit: number }, { id: number }>(
    `SELECT id FROM machines WHERE wake_at IS NOT NULL AND parked IS NULL AND wake_at <= :now
     ORDER BY wake_at, id LIMIT :limit`,
  );
  const nextWake = db.statement<void, { at: Instant | null }>(
    'SELECT min(wake_at) AS at FROM machines WHERE wake_at IS NOT NULL AND parked IS NULL',
  );
  const writeStep = db.statement<StepRow>(
    `UPDATE machines SET state = :state, version = version + 1, wake_at = :wakeAt, done_at = :doneAt, parked = NULL
     WHERE id = :id AND version = :version AND done_at IS NULL`,
  );
  const park = db.statement<{ id: number; error: string }>('UPDATE machines SET parked = :error WHERE id = :id');
  const unpark = db.statement<{ id: number }>('UPDATE machines SET parked = NULL WHERE id = :id');
  const parked = db.statement<void, { id: number } & ParkedMachine>(
    'SELECT id, kind, key, parked AS error FROM machines WHERE parked IS NOT NULL ORDER BY id LIMIT 1000',
  );
  return {
    insertMachine: (row: NewMachine): number => insert.run(row).lastInsertRowid,
    live: (key: MachineKey) => live.get(key),
    byId: (id: number) => byId.get({ id }),
    due: (now: Instant, limit: number): number[] => due.all({ now, limit }).map((row) => row.id),
    nextWake: (): Instant | undefined => nextWake.get()?.at ?? undefined,
    /** @returns false when somebody else wrote the machine meanwhile */
    writeStep: (row: StepRow): boolean => writeStep.run(row).changes === 1,
    park: (id: number, error: string) => park.run({ id, error }),
    unpark: (id: number) => unpark.run({ id }),
    parked: () => parked.all(),
  };
}

function signals(db: Database) {
  const insert = db.statement<{ machine: number; body: string; at: Instant }>(
    'INSERT INTO signals (machine, body, at) VALUES (:machine, :body, :at)',
  );
  const unread = db.statement<{ machine: number }, { body: string }>(
    'SELECT body FROM signals WHERE machine = :machine ORDER BY id',
  );
  const signalled = db.statement<void, { machine: number }>('SELECT DISTINCT machine FROM signals');
  const consume = db.statement<{ machine: number }>('DELETE FROM signals WHERE machine = :machine');
  return {
    insertSignal: (machine: number, body: string, at: Instant) => insert.run({ machine, body, at }),
    signals: (machine: number): string[] => unread.all({ machine }).map((row) => row.body),
    signalled: (): number[] => signalled.all().map((row) => row.machine),
    deleteSignals: (machine: number) => consume.run({ machine }),
  };
}

function effects(db: Database) {
  const insert = db.statement<{ machine: number; kind: string; body: string }>(
    `INSERT INTO effects (machine, kind, body, status, attempts) VALUES (:machine, :kind, :body, 'pending', 1)`,
  );
  const pending = db.statement<void, EffectRow>(
    `SELECT id, machine, kind, body, attempts FROM effects WHERE status = 'pending' ORDER BY id`,
  );
  const countAttempt = db.statement<{ id: number }>('UPDATE effects SET attempts = attempts + 1 WHERE id = :id');
  const end = db.statement<{ id: number; status: 'done' | 'failed'; result: string }>(
    `UPDATE effects SET status = :status, result = :result WHERE id = :id AND status = 'pending'`,
  );
  const deleteEnded = db.statement<{ machine: number }>(
    `DELETE FROM effects WHERE machine = :machine AND status <> 'pending'`,
  );
  return {
    insertEffect: (machine: number, kind: string, body: string): EffectRow => {
      const id = insert.run({ machine, kind, body }).lastInsertRowid;
      return { id, machine, kind, body, attempts: 1 };
    },
    pending: () => pending.all(),
    countAttempt: (id: number) => countAttempt.run({ id }),
    /** @returns false when its result had been recorded before */
    endEffect: (id: number, status: 'done' | 'failed', result: string): boolean =>
      end.run({ id, status, result }).changes === 1,
    deleteEnded: (machine: number) => deleteEnded.run({ machine }),
  };
}

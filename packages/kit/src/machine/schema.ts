/**
 * The tables of the machine runner, first version: a program puts this text into a migration of its own. Never edited
 * after a release; a change is a further text beside it.
 *
 * A key may be used again once its old machine is done, so only live machines are unique. Done machines keep their last
 * state but neither wake-ups, signals nor finished effects.
 */
export const MACHINE_TABLES_1 = `
  CREATE TABLE machines (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    wake_at INTEGER,
    done_at INTEGER,
    parked TEXT
  ) STRICT;
  CREATE UNIQUE INDEX machines_live ON machines (account, region, kind, key) WHERE done_at IS NULL;
  CREATE INDEX machines_due ON machines (wake_at) WHERE wake_at IS NOT NULL AND parked IS NULL;
  CREATE INDEX machines_parked ON machines (id) WHERE parked IS NOT NULL;

  CREATE TABLE signals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    machine INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    body TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX signals_machine ON signals (machine, id);

  CREATE TABLE effects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    machine INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'failed')),
    result TEXT,
    attempts INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX effects_machine ON effects (machine, status);
  CREATE INDEX effects_pending ON effects (id) WHERE status = 'pending';
`;

import type { Io } from '../command.ts';

/** The one JSON document of a command with `--json`. Its shape is versioned; members are only ever added. */
export function printJson(io: Io, command: string, result: object): void {
  io.stdout.write(`${JSON.stringify({ schemaVersion: '1', command, ...result })}\n`);
}

import { UserError } from '@slipway/kit/errors';
import type { Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { paint } from './colour.ts';

/**
 * Prints what happened, why, and what to do next. A mistake of the user's shows no stack; a defect of ours does.
 *
 * @returns the exit code
 */
export function printError(error: unknown, io: Io, asJson: boolean): number {
  const known = error instanceof UserError;
  const exitCode = known ? error.exitCode : EXIT.error;
  if (asJson) {
    const body = known
      ? { what: error.what, why: error.why, next: error.next }
      : { what: String(error instanceof Error ? error.message : error) };
    io.stdout.write(`${JSON.stringify({ schemaVersion: '1', error: body, exitCode })}\n`);
  }
  const { bold, red, dim } = paint(io.colour);
  if (known) {
    io.stderr.write(`${red(bold('error:'))} ${error.what}\n`);
    if (error.why) io.stderr.write(`${indent(error.why)}\n`);
    if (error.next) io.stderr.write(`\n${bold('What to do:')}\n${indent(error.next)}\n`);
    return exitCode;
  }
  const name = error instanceof Error ? error.name : '';
  io.stderr.write(`${red(bold('error:'))} ${name && name !== 'Error' ? `${name}: ` : ''}${messageOf(error)}\n`);
  if (error instanceof Error && isDefect(error)) {
    io.stderr.write(
      dim(`${error.stack ?? ''}\n\nThis is a defect of Slipway; please report it with the lines above.\n`),
    );
  }
  return exitCode;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errors that AWS or the operating system raised explain themselves; anything else should not have reached the user. */
function isDefect(error: Error): boolean {
  return !('$metadata' in error) && !('code' in error);
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}

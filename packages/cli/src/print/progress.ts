import type { Io } from '../command.ts';

/** Carriage return, then the control sequence that erases the line. */
const ERASE_LINE = '\r\u001b[2K';

export interface ProgressLine {
  /** Shows what is happening now: redrawn in place on a terminal, one line for each change elsewhere. */
  show(text: string): void;
  /** Removes the line, so that what follows starts clean. */
  clear(): void;
}

/** One line on standard error that says what is being waited for. */
export function progressLine(io: Io): ProgressLine {
  let shown = '';
  let said = '';
  return {
    show(text) {
      if (text === shown) return;
      shown = text;
      if (io.interactive) io.stderr.write(`${ERASE_LINE}${text.slice(0, Math.max(20, io.columns - 1))}`);
      else {
        // Elsewhere another percentage alone is no news worth a line.
        const message = text.replace(/ \d+ %.*$/, '');
        if (message !== said) io.stderr.write(`${message}\n`);
        said = message;
      }
    },
    clear() {
      if (shown !== '' && io.interactive) io.stderr.write(ERASE_LINE);
      shown = '';
    },
  };
}

import type { DeliveryEvent } from '@slipway/delivery';
import type { Io } from '../command.ts';
import { paint } from './colour.ts';
import { progressLine } from './progress.ts';

export interface EventPrinter {
  show(event: DeliveryEvent): void;
  /** Takes the progress line away. */
  end(): void;
}

/** Prints what happens as it happens, on standard error: one line for each thing done, one redrawn line for a wait. */
export function eventPrinter(io: Io): EventPrinter {
  const progress = progressLine(io);
  const { dim, green, red, yellow } = paint(io.colour);
  const line = (text: string): void => {
    progress.clear();
    io.stderr.write(`${text}\n`);
  };
  const marks = { finished: green('✓'), found: dim('='), failed: red('✗') };
  const stage = (event: DeliveryEvent & { type: 'stage' }): void => {
    const subject = dim(event.subject);
    if (event.state === 'started' || event.state === 'attached') {
      if (io.interactive) progress.show(`… ${event.model}  ${event.stage}  ${event.subject}`);
      return;
    }
    const took = event.seconds === undefined ? '' : ` ${event.seconds.toFixed(1)} s`;
    const found = event.state === 'found' ? dim(' (found: done by an earlier run)') : '';
    // The error that follows a failure tells all of it.
    const detail = event.detail ? `  ${event.detail.split('\n', 1)[0]}` : '';
    line(`${marks[event.state]} ${event.model}  ${event.stage.padEnd(8)}${took}  ${subject}${detail}${found}`);
  };
  return {
    show(event) {
      if (event.type === 'stage') stage(event);
      else if (event.type === 'status') {
        if (io.interactive) progress.show(`… ${event.subject}  ${event.status}`);
      } else if (event.type === 'change') {
        line(
          `${green('✓')} ${event.model === undefined ? '' : `${event.model}  `}${event.detail}  ${dim(event.subject)}`,
        );
      } else if (event.type === 'note') {
        line(`${yellow('!')} ${event.model === undefined ? '' : `${event.model}  `}${event.text}`);
      }
    },
    end: () => progress.clear(),
  };
}

import { createHash } from 'node:crypto';
import type { RunnerPoint } from '@slipway/kit/machine/runner';
import { changesSomething } from './request-log.ts';
import type { HandledRequest } from './wire/pipeline.ts';

/**
 * Makes a durable point of each request that changed something and is not acknowledged yet. The point is named by what
 * was asked for, so that the same request, repeated by its client, is the same point.
 */
export function requestPoints(onPoint: (point: RunnerPoint) => void): (request: HandledRequest) => void {
  return ({ service, operation, input }) => {
    if (!changesSomething(operation)) return;
    const digest = createHash('sha256')
      .update(JSON.stringify(textMembers(input)))
      .digest('hex')
      .slice(0, 12);
    onPoint({ what: 'commit', machine: service, key: operation, detail: digest });
  };
}

/** Names, keys and ids; a body's bytes and times say nothing about which request it is. */
function textMembers(input: Readonly<Record<string, unknown>>): readonly (readonly [string, string | number])[] {
  return Object.entries(input).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : [],
  );
}

import type { RunnerPoint } from '@slipway/kit/machine/runner';
import { changesSomething } from './request-log.ts';
import type { HandledRequest } from './wire/pipeline.ts';

/**
 * Makes a durable point of each request that changed something and is not acknowledged yet. The point is named by the
 * thing that was changed, so that the same request, repeated by its client, is the same point.
 */
export function requestPoints(onPoint: (point: RunnerPoint) => void): (request: HandledRequest) => void {
  return ({ service, operation, input }) => {
    if (!changesSomething(operation)) return;
    onPoint({ what: 'commit', machine: service, key: operation, detail: namesIn(input).join(' ') });
  };
}

/** What names the thing. Preconditions and digests differ when a client tries again. */
const NAMING = /^(Bucket|Key|PartNumber|\w*(Name|Arn))$/;

function namesIn(input: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(input).flatMap(([member, value]) =>
    NAMING.test(member) && (typeof value === 'string' || typeof value === 'number') ? [`${member}=${value}`] : [],
  );
}

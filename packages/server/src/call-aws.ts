import type { Clock } from '@slipway/kit/clock';
import type { Ids } from '@slipway/kit/ids';
import type { CallAws } from './services/parts.ts';
import type { Context, Handler, Service } from './wire/service.ts';

export interface CallAwsOptions {
  /** Asked at each call, because the services are made after the parts that hold this. */
  readonly services: () => readonly Service[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly baseUrl: () => string;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

/** Calls another service's handler as the wire would, but with values instead of bytes and nothing validated. */
export function createCallAws({ services, clock, ids, baseUrl, closing }: CallAwsOptions): CallAws {
  return async <Output>(
    service: string,
    operation: string,
    input: Record<string, unknown>,
    owner: Context['owner'],
    signal?: AbortSignal,
  ): Promise<Output> => {
    const operations = services().find(({ model }) => model === service)?.operations ?? {};
    if (!Object.hasOwn(operations, operation)) throw new Error(`no service here implements ${service} ${operation}`);
    const handler = operations[operation] as unknown as Handler<Record<string, unknown>, object>;
    const context: Context = {
      owner: { account: owner.account, region: owner.region },
      requestId: ids.uuid(),
      now: clock.now(),
      signal: signal ?? closing,
      baseUrl: baseUrl(),
    };
    return (await handler(input, context)) as Output;
  };
}

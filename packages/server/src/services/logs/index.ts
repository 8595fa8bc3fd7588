import type { Context, Handler, Handlers, Service } from '../../wire/service.ts';
import type { ServerParts } from '../parts.ts';
import { describeLogGroups, describeLogStreams, filterLogEvents, getLogEvents } from './operations.ts';
import { logStore } from './store.ts';
import type { LogStore } from './store.ts';

type Operation<Input> = (logs: LogStore, input: Input, context: Context) => object | Promise<object>;

/** CloudWatch Logs, to read: its streams are the log files that jobs and workers write. */
export function createLogs(parts: ServerParts): Service {
  const logs = logStore(parts.db);
  const bind =
    <Input>(operation: Operation<Input>): Handler<Input, object> =>
    (input, context) =>
      operation(logs, input, context);
  const operations = {
    DescribeLogGroups: bind(describeLogGroups),
    DescribeLogStreams: bind(describeLogStreams),
    FilterLogEvents: bind(filterLogEvents),
    GetLogEvents: bind(getLogEvents),
  } satisfies Handlers;
  return { model: 'logs', operations };
}

import type {
  DescribeLogGroupsCommandInput,
  DescribeLogGroupsCommandOutput,
  DescribeLogStreamsCommandInput,
  DescribeLogStreamsCommandOutput,
  FilterLogEventsCommandInput,
  FilterLogEventsCommandOutput,
  FilteredLogEvent,
  GetLogEventsCommandInput,
  GetLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Owner } from '@slipway/kit/machine';
import type { Context } from '../../wire/service.ts';
import { InvalidParameter, LogsNotFound } from './errors.ts';
import { parsePattern } from './pattern.ts';
import { lastWritten, LogReader, spanOf } from './reader.ts';
import type { EventPage } from './reader.ts';
import type { LogStore, LogStreamRow } from './store.ts';

type Answer<Output> = Omit<Output, '$metadata'>;

const maxEvents = 10_000;
const maxStreams = 50;
/** One FilterLogEvents call looks at so much of the files and then hands out a token. */
const filterScanBytes = 8 * 1024 * 1024;

const encodeToken = (text: string): string => Buffer.from(text).toString('base64url');
const decodeToken = (token: string | undefined): string => Buffer.from(token ?? '', 'base64url').toString('utf8');

/** A group by its name or by an ARN that ends with it. @throws LogsNotFound, InvalidParameter */
function findGroup(logs: LogStore, owner: Owner, name: string | undefined, identifier: string | undefined): string {
  if (name !== undefined && identifier !== undefined) {
    throw new InvalidParameter('Only one of logGroupName and logGroupIdentifier can be given.');
  }
  const given = name ?? identifier?.replace(/^arn:[^:]*:logs:[^:]*:\d*:log-group:/, '').replace(/:\*$/, '');
  if (given === undefined) throw new InvalidParameter('Either logGroupName or logGroupIdentifier must be given.');
  if (logs.group(owner, given) === undefined) throw new LogsNotFound('group');
  return given;
}

const arnOf = ({ account, region }: Owner, group: string): string =>
  `arn:aws:logs:${region}:${account}:log-group:${group}`;

export function describeLogGroups(
  logs: LogStore,
  input: DescribeLogGroupsCommandInput,
  { owner }: Context,
): Answer<DescribeLogGroupsCommandOutput> {
  const limit = input.limit ?? maxStreams;
  const after = decodeToken(input.nextToken);
  const { logGroupNamePrefix: prefix = '', logGroupNamePattern: pattern = '' } = input;
  const rows = logs.groups(owner, { after, prefix, pattern, limit: limit + 1 });
  const groups = rows.slice(0, limit);
  return {
    logGroups: groups.map(({ name, createdAt }) => ({
      logGroupName: name,
      creationTime: createdAt,
      metricFilterCount: 0,
      arn: `${arnOf(owner, name)}:*`,
      logGroupArn: arnOf(owner, name),
      storedBytes: 0,
      logGroupClass: 'STANDARD',
    })),
    nextToken: rows.length > limit ? encodeToken(groups.at(-1)?.name ?? '') : undefined,
  };
}

/** By the last event, newest first or last; a page is found by counting, so streams that are written to may move. */
async function byLastEvent(logs: LogStore, owner: Owner, group: string, descending: boolean): Promise<LogStreamRow[]> {
  const streams = logs.streams(owner, group, { after: '', prefix: '', limit: maxEvents });
  const written = await Promise.all(streams.map(async (stream) => ({ stream, at: await lastWritten(stream.path) })));
  written.sort((a, b) => (descending ? b.at - a.at : a.at - b.at));
  return written.map(({ stream }) => stream);
}

/** The token only when there is more: the SageMaker SDK loops while it is present (api.md, trap 5). */
export async function describeLogStreams(
  logs: LogStore,
  input: DescribeLogStreamsCommandInput,
  { owner }: Context,
): Promise<Answer<DescribeLogStreamsCommandOutput>> {
  const group = findGroup(logs, owner, input.logGroupName, input.logGroupIdentifier);
  const { limit = maxStreams, descending = false, logStreamNamePrefix: prefix = '' } = input;
  const position = decodeToken(input.nextToken);
  let rows: LogStreamRow[];
  let next: string;
  if (input.orderBy === 'LastEventTime') {
    if (prefix !== '') throw new InvalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.');
    const skip = Number(position);
    rows = (await byLastEvent(logs, owner, group, descending)).slice(skip, skip + limit + 1);
    next = String(skip + limit);
  } else {
    rows = descending
      ? logs.streamsBackwards(owner, group, { before: position, prefix, limit: limit + 1 })
      : logs.streams(owner, group, { after: position, prefix, limit: limit + 1 });
    next = rows[limit - 1]?.name ?? '';
  }
  const logStreams = await Promise.all(
    rows.slice(0, limit).map(async (stream) => {
      const span = await spanOf(stream.path);
      return {
        logStreamName: stream.name,
        creationTime: stream.createdAt,
        ...span,
        lastIngestionTime: span?.lastEventTimestamp,
        arn: `${arnOf(owner, group)}:log-stream:${stream.name}`,
        storedBytes: 0,
      };
    }),
  );
  return { logStreams, nextToken: rows.length > limit ? encodeToken(next) : undefined };
}

interface Position {
  readonly direction: 'f' | 'b';
  readonly offset: number;
}

/** `f/<offset>/s` and `b/<offset>/s`, in the shape of AWS's. @throws InvalidParameter */
function readPosition(token: string): Position {
  const [, direction, offset] = /^([fb])\/(\d{1,16})\/s$/.exec(token) ?? [];
  if (direction === undefined) throw new InvalidParameter('The specified nextToken is invalid.');
  return { direction: direction as 'f' | 'b', offset: Number(offset) };
}

const printPosition = (direction: 'f' | 'b', offset: number): string =>
  `${direction}/${String(offset).padStart(16, '0')}/s`;

function printPage({ events, forward, backward }: EventPage): Answer<GetLogEventsCommandOutput> {
  return {
    events: events.map(({ timestamp, message }) => ({ timestamp, message, ingestionTime: timestamp })),
    nextForwardToken: printPosition('f', forward),
    nextBackwardToken: printPosition('b', backward),
  };
}

/** At either end the token that came is given back, which is how clients know. */
export async function getLogEvents(
  logs: LogStore,
  input: GetLogEventsCommandInput,
  { owner }: Context,
): Promise<Answer<GetLogEventsCommandOutput>> {
  const group = findGroup(logs, owner, input.logGroupName, input.logGroupIdentifier);
  const stream = logs.stream(owner, group, input.logStreamName ?? '');
  if (stream === undefined) throw new LogsNotFound('stream');
  const position = input.nextToken === undefined ? undefined : readPosition(input.nextToken);
  const query = { limit: input.limit ?? maxEvents, startTime: input.startTime, endTime: input.endTime };
  const reader = await LogReader.open(stream.path);
  if (reader === undefined) {
    const offset = position?.offset ?? 0;
    return printPage({ events: [], forward: offset, backward: offset });
  }
  try {
    const isForward = position === undefined ? input.startFromHead === true : position.direction === 'f';
    if (isForward) return printPage(await reader.forwards(position?.offset ?? 0, query));
    return printPage(await reader.backwards(position?.offset, query));
  } finally {
    await reader.close();
  }
}

/** The streams a filter looks at, by name, from the one its token names. */
function streamsOf(logs: LogStore, owner: Owner, group: string, input: FilterLogEventsCommandInput): LogStreamRow[] {
  const { logStreamNames, logStreamNamePrefix } = input;
  if (logStreamNames !== undefined && logStreamNamePrefix !== undefined) {
    throw new InvalidParameter('Only one of logStreamNames and logStreamNamePrefix can be given.');
  }
  if (logStreamNames === undefined) {
    return logs.streams(owner, group, { after: '', prefix: logStreamNamePrefix ?? '', limit: maxEvents });
  }
  return [...new Set(logStreamNames)].sort().map((name) => {
    const stream = logs.stream(owner, group, name);
    if (stream === undefined) throw new LogsNotFound('stream');
    return stream;
  });
}

/** Stream after stream by name; the events of a page are then put in the order of their times. */
export async function filterLogEvents(
  logs: LogStore,
  input: FilterLogEventsCommandInput,
  { owner }: Context,
): Promise<Answer<FilterLogEventsCommandOutput>> {
  const group = findGroup(logs, owner, input.logGroupName, input.logGroupIdentifier);
  const keep = parsePattern(input.filterPattern);
  const limit = input.limit ?? maxEvents;
  const [startOffset = '0', startStream = ''] = decodeToken(input.nextToken).split(/\/(.*)/s);
  const events: FilteredLogEvent[] = [];
  let nextToken: string | undefined;
  for (const stream of streamsOf(logs, owner, group, input)) {
    if (stream.name < startStream) continue;
    const offset = stream.name === startStream ? Number(startOffset) : 0;
    if (events.length >= limit) {
      nextToken = encodeToken(`${offset}/${stream.name}`);
      break;
    }
    const reader = await LogReader.open(stream.path);
    if (reader === undefined) continue;
    try {
      const query = { limit: limit - events.length, startTime: input.startTime, endTime: input.endTime };
      const page = await reader.forwards(offset, query, keep, filterScanBytes);
      for (const { timestamp, message, offset: at } of page.events) {
        const eventId = `${String(stream.createdAt).padStart(15, '0')}${String(at).padStart(17, '0')}`;
        events.push({ logStreamName: stream.name, timestamp, message, ingestionTime: timestamp, eventId });
      }
      if (!page.isComplete) {
        nextToken = encodeToken(`${page.forward}/${stream.name}`);
        break;
      }
    } finally {
      await reader.close();
    }
  }
  events.sort((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0));
  return { events, searchedLogStreams: [], nextToken };
}

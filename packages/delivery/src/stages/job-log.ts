import { DescribeLogStreamsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

const TAIL_LINES = 40;

export interface LogTail {
  readonly group: string;
  readonly stream: string | undefined;
  readonly lines: readonly string[];
}

export interface Culprit {
  readonly file: string;
  readonly line: number;
}

/** The last lines of a job's log. A log that cannot be read is no reason to hide why the job failed: then none. */
export async function readLogTail(
  logs: CloudWatchLogsClient,
  kind: 'training' | 'processing',
  job: string,
): Promise<LogTail> {
  const group = kind === 'training' ? '/aws/sagemaker/TrainingJobs' : '/aws/sagemaker/ProcessingJobs';
  try {
    const streams = await logs.send(
      new DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: `${job}/`, limit: 1 }),
    );
    const stream = streams.logStreams?.[0]?.logStreamName;
    if (stream === undefined) return { group, stream: undefined, lines: [] };
    const events = await logs.send(
      new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, limit: TAIL_LINES, startFromHead: false }),
    );
    const lines = (events.events ?? []).flatMap((event) => (event.message ?? '').trimEnd().split('\n'));
    return { group, stream, lines: lines.slice(-TAIL_LINES) };
  } catch {
    return { group, stream: undefined, lines: [] };
  }
}

/**
 * The script's own file and line in a Python traceback: the innermost frame that is not in an installed library.
 * For example `File "/opt/ml/code/train.py", line 12, in main` gives train.py and 12.
 */
export function findCulprit(lines: readonly string[]): Culprit | undefined {
  const start = lines.findLastIndex((line) => line.includes('Traceback (most recent call last)'));
  let found: Culprit | undefined;
  for (const line of lines.slice(Math.max(0, start))) {
    const match = /File "([^"]+)", line (\d+)/.exec(line);
    if (match?.[1] === undefined) continue;
    if (/site-packages|dist-packages|\/lib\/python3|^<|\/runtimes\/python\//.test(match[1])) continue;
    found = { file: withinCode(match[1]), line: Number(match[2]) };
  }
  return found;
}

function withinCode(path: string): string {
  const match = /\/(?:code|input\/code)\/(.+)$/.exec(path);
  return match?.[1] ?? path;
}

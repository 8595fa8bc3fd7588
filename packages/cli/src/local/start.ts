import type { RunningServer } from '@slipway/server';
import { UserError } from '@slipway/kit/errors';
import { createLogger } from '@slipway/kit/log';
import type { Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { progressLine } from '../print/progress.ts';
import { readImages } from './images.ts';

const ISOLATIONS = ['auto', 'namespace', 'folder'] as const;
const TIMINGS = ['instant', 'quick', 'lifelike'] as const;
export type Isolation = (typeof ISOLATIONS)[number];
export type Timing = (typeof TIMINGS)[number];

export interface LocalServerOptions {
  readonly dataFolder: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  /** Where `images.yaml` may stand; undefined outside a project. */
  readonly project: string | undefined;
  readonly isolation?: Isolation;
  readonly timing?: Timing;
}

/** Starts a server of this process on a data folder. The server half is loaded here and nowhere else. */
export async function startLocalServer(options: LocalServerOptions, io: Io): Promise<RunningServer> {
  const { startServer } = await import('@slipway/server');
  const progress = progressLine(io);
  return await startServer({
    dataFolder: options.dataFolder,
    port: options.port,
    host: options.host ?? '127.0.0.1',
    isolation: options.isolation ?? isolationOf(io.env['SLIPWAY_ISOLATION'] || 'auto', 'SLIPWAY_ISOLATION'),
    timing: options.timing ?? 'instant',
    images: options.project === undefined ? {} : await readImages(options.project),
    pythonCacheFolder: io.cacheFolder,
    environment: io.env,
    ...(io.env['SLIPWAY_PYTHON'] === undefined ? {} : { python: io.env['SLIPWAY_PYTHON'] }),
    command: io.self,
    log: createLogger({ write: (line) => void io.stderr.write(line), level: io.env['SLIPWAY_LOG'] ?? 'error' }),
    onProgress: (text) => progress.show(text),
  });
}

/**
 * How a job gets its /opt/ml: `auto` takes a private mount where the host allows one and the job's folder elsewhere.
 *
 * @param source how the user gave it, for the error
 */
export function isolationOf(text: string, source: string): Isolation {
  return oneOf(ISOLATIONS, text, source);
}

/** How quickly states pass that take minutes on AWS. */
export function timingOf(text: string, source: string): Timing {
  return oneOf(TIMINGS, text, source);
}

function oneOf<T extends string>(known: readonly T[], text: string, source: string): T {
  const found = known.find((name) => name === text);
  if (found !== undefined) return found;
  const next = `Use one of ${known.join(', ')}.`;
  throw new UserError({ what: `${source} ${text} is unknown.`, next, exitCode: EXIT.usage });
}

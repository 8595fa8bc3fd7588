import type { RunningServer } from '@slipway/server';
import { UserError } from '@slipway/kit/errors';
import { createLogger } from '@slipway/kit/log';
import type { Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { progressLine } from '../print/progress.ts';
import { readImages } from './images.ts';

export type Isolation = 'auto' | 'namespace' | 'folder';

export interface LocalServerOptions {
  readonly dataFolder: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  /** Where `images.yaml` may stand; undefined outside a project. */
  readonly project: string | undefined;
  readonly isolation?: Isolation;
}

/** Starts a server of this process on a data folder. The server half is loaded here and nowhere else. */
export async function startLocalServer(options: LocalServerOptions, io: Io): Promise<RunningServer> {
  const { startServer } = await import('@slipway/server');
  const progress = progressLine(io);
  return await startServer({
    dataFolder: options.dataFolder,
    port: options.port,
    host: options.host ?? '127.0.0.1',
    isolation: options.isolation ?? parseIsolation(io.env['SLIPWAY_ISOLATION'], 'SLIPWAY_ISOLATION'),
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
export function parseIsolation(text: string | undefined, source: string): Isolation {
  if (text === undefined || text === '' || text === 'auto') return 'auto';
  if (text === 'namespace' || text === 'folder') return text;
  throw new UserError({
    what: `${source} ${text} is unknown.`,
    next: 'Use auto, namespace or folder.',
    exitCode: EXIT.usage,
  });
}

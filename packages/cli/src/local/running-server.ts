import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A server that some process runs on a data folder. */
export interface RunningServerInfo {
  readonly url: string;
  readonly pid: number;
}

/**
 * Finds the server that runs on a data folder: the file it writes names an address, and the address must answer for
 * this very folder (a file left by a killed server may name a port that something else has taken since).
 */
export async function findRunningServer(dataFolder: string): Promise<RunningServerInfo | undefined> {
  const info = await readServerFile(dataFolder);
  if (info === undefined) return undefined;
  try {
    const answer = await fetch(`${info.url}/_slipway/health`, { signal: AbortSignal.timeout(2000) });
    const health = (await answer.json()) as { pid?: unknown };
    return health.pid === info.pid ? info : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a server of ours answers at an address, whichever data it serves. */
export async function isAnswering(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/_slipway/health`, { signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}

async function readServerFile(dataFolder: string): Promise<RunningServerInfo | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(dataFolder, 'server.json'), 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { url, pid } = parsed as Record<string, unknown>;
    return typeof url === 'string' && typeof pid === 'number' ? { url, pid } : undefined;
  } catch {
    return undefined;
  }
}

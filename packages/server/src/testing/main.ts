import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@slipway/kit/log';
export { noEngine } from './no-engine.ts';
import { startServer, type RunningServer, type ServerOptions } from '../main.ts';

/** A server of its own for a test, on a temporary data folder that goes with it. */
export interface TestServer extends RunningServer {
  /** Closes the server and starts it again on the same folder, as after an upgrade; the port may differ. */
  restart(): Promise<TestServer>;
}

export type TestServerOptions = Partial<ServerOptions>;

/**
 * Starts a server in this process. Clients are the test's business: point them at `url`.
 *
 * @param options.dataFolder keeps this folder instead of making one and deleting it
 * @param options.log by default only errors, on standard error
 */
export async function createTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'slipway-test-')));
  const server = await startServer({
    port: 0,
    log: createLogger({ write: (line) => void process.stderr.write(line), level: 'error' }),
    pythonCacheFolder: join(homedir(), '.cache', 'slipway'),
    ...options,
    dataFolder,
  });
  return {
    ...server,
    async close() {
      await server.endJobs(server.liveJobs());
      await server.close();
      if (options.dataFolder === undefined) await rm(dataFolder, { recursive: true, force: true, maxRetries: 3 });
    },
    async restart() {
      await server.close();
      const again = await createTestServer({ ...options, dataFolder });
      if (options.dataFolder !== undefined) return again;
      const close = async (): Promise<void> => {
        await again.close();
        await rm(dataFolder, { recursive: true, force: true, maxRetries: 3 });
      };
      return { ...again, close };
    },
  };
}

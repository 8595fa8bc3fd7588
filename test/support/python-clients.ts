import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePythonEnvironment, runtimesFolder, type PythonEnvironment } from '@slipway/server/python';

/** The cache folder that the command line uses by default, so that tests and demo share one job environment. */
export const CACHE_FOLDER = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'slipway');

/** A Python with boto3 and the AWS CLI (`<bin>/aws`), made on first need and reused. */
export async function pythonClients(): Promise<PythonEnvironment> {
  return await ensurePythonEnvironment({
    cacheFolder: CACHE_FOLDER,
    runtimesFolder: runtimesFolder(),
    requirementsFile: fileURLToPath(new URL('clients-requirements.txt', import.meta.url)),
    environment: process.env,
  });
}

/** The Python that jobs run in, made on first need and reused. */
export async function jobPython(): Promise<PythonEnvironment> {
  return await ensurePythonEnvironment({
    cacheFolder: CACHE_FOLDER,
    runtimesFolder: runtimesFolder(),
    environment: process.env,
  });
}

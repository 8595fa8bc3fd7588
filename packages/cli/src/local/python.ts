import type { EnvironmentProgress, PythonEnvironment } from '@slipway/server/python';
import { formatDuration } from '@slipway/kit/duration';
import type { Io } from '../command.ts';

/**
 * The Python environment that jobs run in, made now if it was never made on this machine. A first call downloads about a
 * hundred megabytes, so it reports what it does and how long it still takes.
 *
 * @throws UserError with the command to run when Python is missing, too old, or without venv
 */
export async function pythonEnvironment(io: Io, onProgress: (text: string) => void): Promise<PythonEnvironment> {
  const { ensurePythonEnvironment, runtimesFolder } = await import('@slipway/server/python');
  return await ensurePythonEnvironment({
    cacheFolder: io.cacheFolder,
    runtimesFolder: runtimesFolder(),
    environment: io.env,
    ...(io.env['SLIPWAY_PYTHON'] === undefined ? {} : { python: io.env['SLIPWAY_PYTHON'] }),
    onProgress: (progress) => onProgress(progressText(progress)),
    signal: io.interrupted,
  });
}

function progressText(progress: EnvironmentProgress): string {
  const share = progress.fraction === undefined ? '' : ` ${Math.round(progress.fraction * 100)} %`;
  const left = progress.leftMs === undefined ? '' : `, about ${formatDuration(progress.leftMs)} left`;
  return `Python environment: ${readable(progress.message)}${share}${left}`;
}

/** pip's lines without the file that named a package, and with a wheel's name and version only. */
function readable(message: string): string {
  return message.replace(/ \(from .*$/, '').replace(/ ([\w.]+?)-(\d[\w.]*)-\S+\.whl/, ' $1 $2');
}

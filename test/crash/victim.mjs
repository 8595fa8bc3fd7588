// A server that is killed in the middle of its work: it kills itself with SIGKILL at each durable point where it has not
// been killed before (the file remembers), or only when somebody else kills it (no file).
// Usage: victim.mjs DATA_FOLDER PORT CACHE_FOLDER [FILE_OF_POINTS]
import { appendFileSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { createLogger } from '@slipway/kit/log';
import { startServer } from '@slipway/server';

const [dataFolder, port, cacheFolder, pointsFile] = process.argv.slice(2);
const seen = new Set(pointsFile === undefined ? [] : read(pointsFile));

const server = await startServer({
  dataFolder,
  port: Number(port),
  pythonCacheFolder: cacheFolder,
  environment: process.env,
  log: createLogger({ write: (line) => void process.stderr.write(line), level: 'warn' }),
  onPoint(point) {
    if (pointsFile === undefined) return;
    const name = `${point.machine} ${point.key} ${point.what} ${point.detail}`;
    if (seen.has(name)) return;
    seen.add(name);
    appendFileSync(pointsFile, `${name}\n`);
    process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write(`${server.url}\n`);
process.on('SIGTERM', async () => {
  await server.close();
  process.exit(0);
});

function read(file) {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

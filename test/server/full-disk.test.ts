import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

/** A private mount of a few megabytes is the only honest full disk; where none can be made the test is skipped. */
const UNSHARE = ['--user', '--map-root-user', '--mount'];
const canMount = spawnSync('unshare', [...UNSHARE, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0;

const SERVER = `
  import { rmSync, writeFileSync } from 'node:fs';
  import { createLogger } from '@slipway/kit/log';
  import { startServer } from '@slipway/server';
  import { noEngine } from '@slipway/server/testing';
  const [folder] = process.argv.slice(1);
  writeFileSync(folder + '/ballast', Buffer.alloc(1_500_000, 1));
  const server = await startServer({
    dataFolder: folder + '/data', port: 0, engine: noEngine(), pythonCacheFolder: folder,
    log: createLogger({ write: () => undefined }),
  });
  console.log(server.url);
  process.stdin.once('data', () => { rmSync(folder + '/ballast'); console.log('freed'); });
`;

let child: ChildProcess | undefined;
let folder: string | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

async function line(): Promise<string> {
  const [chunk] = (await once(child!.stdout!, 'data')) as [Buffer];
  return chunk.toString().trim();
}

describe.skipIf(!canMount)('a server whose disk is full', () => {
  it('says so in a 503, keeps what it acknowledged, and goes on when there is room', async () => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-full-'));
    const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" --input-type=module -e "$3" "$1"';
    child = spawn('unshare', [...UNSHARE, 'sh', '-c', script, 'sh', folder, process.execPath, SERVER], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const url = await line();
    const put = async (key: string): Promise<Response> =>
      await fetch(`${url}/bucket/${key}`, { method: 'PUT', body: key.padEnd(200_000, '.') });
    expect((await fetch(`${url}/bucket`, { method: 'PUT' })).status).toBe(200);

    const kept: string[] = [];
    let refused: Response | undefined;
    while (refused === undefined && kept.length < 40) {
      const answer = await put(`key-${kept.length}`);
      if (answer.ok) kept.push(`key-${kept.length}`);
      else refused = answer;
    }
    expect(refused?.status).toBe(503);
    expect(await refused?.text()).toMatch(/<Code>\w+<\/Code><Message>[^<]*(full|space|room)/i);

    expect((await fetch(`${url}/_slipway/health`)).status).toBe(200);
    for (const key of kept) expect(await (await fetch(`${url}/bucket/${key}`)).text()).toBe(key.padEnd(200_000, '.'));
    child.stdin?.write('free\n');
    expect(await line()).toBe('freed');
    expect((await put('later')).status).toBe(200);
    expect((await (await fetch(`${url}/bucket?list-type=2`)).text()).match(/<Key>/g)).toHaveLength(kept.length + 1);
  });
});

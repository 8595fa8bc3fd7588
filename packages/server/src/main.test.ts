import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '@slipway/kit/errors';
import { createLogger } from '@slipway/kit/log';
import { LockHeld } from '@slipway/kit/lock';
import { openDatabase } from '@slipway/kit/sqlite';
import { MIGRATIONS } from './migrations/index.ts';
import { createTestServer, noEngine, type TestServer } from './testing/main.ts';

let root: string;
let dataFolder: string;
let server: TestServer | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-main-'));
  dataFolder = join(root, 'deep', 'data');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(root, { recursive: true });
});

const start = async (options: { port?: number; host?: string; dataFolder?: string } = {}): Promise<TestServer> =>
  (server = await createTestServer({ engine: noEngine(), dataFolder, ...options }));

async function post(path: string, body: string, type = 'application/json'): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${server?.url}${path}`, { method: 'POST', body, headers: { 'content-type': type } });
  return { status: answer.status, body: await answer.json() };
}
const get = async (path: string): Promise<unknown> => await (await fetch(`${server?.url}${path}`)).json();

describe('startServer', () => {
  it('makes its folder for its owner alone and tells where it is', async () => {
    const { url } = await start();
    expect(statSync(dataFolder).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(join(dataFolder, 'server.json'), 'utf8'))).toMatchObject({ url, pid: process.pid });
    expect(await get('/_slipway/health')).toMatchObject({ status: 'ok', pid: process.pid, dataFolder });
    await server?.close();
    expect(() => statSync(join(dataFolder, 'server.json'))).toThrow('ENOENT');
    expect(() => statSync(join(dataFolder, 'lock'))).toThrow('ENOENT');
  });

  it('refuses a folder that another server uses, and leaves that one alone', async () => {
    await start();
    await expect(createTestServer({ engine: noEngine(), dataFolder })).rejects.toThrow(LockHeld);
    expect(await get('/_slipway/health')).toMatchObject({ status: 'ok' });
  });

  it('gives everything back when it cannot listen', async () => {
    const { url } = await start({ dataFolder: join(root, 'other') });
    const port = Number(new URL(url).port);
    await expect(createTestServer({ engine: noEngine(), dataFolder, port })).rejects.toThrow(/using port/);
    const second = await createTestServer({ engine: noEngine(), dataFolder });
    await second.close();
  });

  it('refuses every address but loopback before it touches anything', async () => {
    for (const host of ['0.0.0.0', '192.168.1.1', '::', 'example.com']) {
      await expect(start({ host })).rejects.toThrow(UserError);
    }
    expect(() => statSync(dataFolder)).toThrow('ENOENT');
  });

  it('explains a data folder that is a file', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(start({ dataFolder: join(root, 'file') })).rejects.toThrow(/cannot be used. It is a file/);
    await expect(start({ dataFolder: join(root, 'file', 'below') })).rejects.toThrow(/part of the path is a file/);
  });

  it('explains a database that is none, and one that newer code wrote', async () => {
    await (await start()).close();
    writeFileSync(join(dataFolder, 'state.sqlite'), 'not a database '.repeat(1_000));
    await expect(start()).rejects.toThrow(/state.sqlite in it is not a database/);
    rmSync(join(dataFolder, 'state.sqlite'));
    const version = MIGRATIONS.at(-1)!.version + 1;
    openDatabase(join(dataFolder, 'state.sqlite'), [...MIGRATIONS, { version, name: 'later', sql: '' }]).close();
    await expect(start()).rejects.toThrow(/written by a newer version of Slipway/);
  });
});

describe('a server that is closed at once', () => {
  it('ends its sweep of what earlier processes left before it closes the database', async () => {
    const shelf = join(dataFolder, 's3', 'blobs', 'ab');
    mkdirSync(shelf, { recursive: true });
    for (let index = 0; index < 300; index += 1) writeFileSync(join(shelf, `ab${index}`), 'left');
    const lines: string[] = [];
    const log = createLogger({ write: (line) => void lines.push(line), level: 'error' });
    server = await createTestServer({ engine: noEngine(), dataFolder, log });
    await server.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toEqual([]);
  });
});

describe('the clock of a server', () => {
  it('moves when it is told to, shows in Date, and is where it was left after a restart', async () => {
    await start();
    const before = (await get('/_slipway/health')) as { now: number };
    const week = 7 * 86_400_000;
    const { status, body } = await post('/_slipway/clock/advance', JSON.stringify({ ms: week }));
    const { now } = body as { now: number };
    expect(status).toBe(200);
    expect(now - before.now).toBeGreaterThanOrEqual(week);
    expect(now - before.now).toBeLessThan(week + 60_000);
    server = await server!.restart();
    const answer = await fetch(`${server.url}/_slipway/health`);
    expect(((await answer.json()) as { now: number }).now).toBeGreaterThanOrEqual(now);
    expect(Date.parse(answer.headers.get('date')!)).toBeGreaterThanOrEqual(now - 1_000);
    expect(await server.advance(0)).toBeGreaterThanOrEqual(now);
  });

  it('does not move for a body that is not a whole number of milliseconds', async () => {
    await start();
    const before = (await get('/_slipway/state')) as { now: number };
    const numbers = ['-1', '1.5', '"7d"', '1e300', 'null', '1'.padEnd(20_000)].map((ms) => `{"ms":${ms}}`);
    for (const body of ['', '{', '[]', 'null', '{}', ...numbers]) {
      expect(await post('/_slipway/clock/advance', body)).toMatchObject({ status: 400 });
    }
    const after = (await get('/_slipway/state')) as { now: number };
    expect(after.now - before.now).toBeLessThan(60_000);
  });

  it('does not move for a form, which a web page could send unasked', async () => {
    await start();
    expect(await post('/_slipway/clock/advance', '{"ms":1}', 'text/plain')).toMatchObject({ status: 400 });
    expect(await post('/_slipway/nothing', '{}')).toMatchObject({ status: 404 });
  });
});

describe('the state page', () => {
  it('tells what lives, and by then the request log is complete', async () => {
    await start();
    await (await fetch(`${server?.url}/`)).text();
    expect(await get('/_slipway/state')).toMatchObject({ liveJobs: [], parked: [], nextWake: null });
    const [line] = readFileSync(join(dataFolder, 'requests.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(line!)).toMatchObject({ service: 's3', operation: 'ListBuckets', changes: false });
  });
});

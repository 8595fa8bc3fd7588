import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Header } from 'tar';
import { packFolder } from './create.ts';
import { ARCHIVE_LIMITS, extractArchive } from './extract.ts';

const root = mkdtempSync(join(tmpdir(), 'slipway-archives-'));
afterAll(() => rmSync(root, { recursive: true }));
const { signal } = new AbortController();
let folders = 0;
const fresh = (): string => join(root, `t${(folders += 1)}`);

interface Entry {
  readonly path: string;
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO';
  readonly linkpath?: string;
  readonly body?: Buffer;
}

/** A tar with exactly these headers, also such as no tar program writes. */
function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', linkpath, body = Buffer.alloc(0) }) => {
    const header = new Header({ path, type, size: body.length, mode: 0o644, ...(linkpath ? { linkpath } : {}) });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    return [block, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

async function refusal(bytes: Buffer, limits = ARCHIVE_LIMITS): Promise<string> {
  const target = fresh();
  const error: unknown = await extractArchive(Readable.from([bytes]), target, signal, limits).catch((e: unknown) => e);
  expect(existsSync(target)).toBe(false);
  expect(existsSync(`${target}.partial`)).toBe(false);
  return error instanceof Error ? `${error.name}: ${error.message}` : 'accepted';
}

describe('extractArchive', () => {
  it('unpacks what packFolder packed, byte for byte', async () => {
    const folder = fresh();
    mkdirSync(join(folder, 'code', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'xgboost-model'), 'booster'.repeat(50_000));
    writeFileSync(join(folder, 'code', 'deep', 'inference.py'), 'print(1)');
    await packFolder(folder, `${folder}.tar.gz`, signal);
    const target = fresh();
    await extractArchive(createReadStream(`${folder}.tar.gz`), target, signal);
    expect(readFileSync(join(target, 'xgboost-model'), 'utf8')).toBe('booster'.repeat(50_000));
    expect(readFileSync(join(target, 'code', 'deep', 'inference.py'), 'utf8')).toBe('print(1)');
  });

  it('takes an archive without entries, which a job that wrote no model leaves', async () => {
    const folder = fresh();
    mkdirSync(folder);
    await packFolder(folder, `${folder}.tar.gz`, signal);
    const target = fresh();
    await extractArchive(createReadStream(`${folder}.tar.gz`), target, signal);
    expect(readdirSync(target)).toEqual([]);
  });

  it('takes names that begin with ./', async () => {
    const target = fresh();
    const entries: Entry[] = [
      { path: './', type: 'Directory' },
      { path: './a/b', body: Buffer.from('x') },
    ];
    await extractArchive(Readable.from([gzipSync(tarOf(entries))]), target, signal);
    expect(readFileSync(join(target, 'a', 'b'), 'utf8')).toBe('x');
  });

  it.each<[string, Entry[], string]>([
    ['a name with ..', [{ path: 'a/../../x' }], 'leads out'],
    ['an absolute name', [{ path: '/etc/x' }], 'leads out'],
    ['a symbolic link', [{ path: 'x', type: 'SymbolicLink', linkpath: '/etc/passwd' }], 'SymbolicLink'],
    ['a hard link', [{ path: 'x', type: 'Link', linkpath: 'y' }], 'Link'],
    ['a device', [{ path: 'x', type: 'CharacterDevice' }], 'CharacterDevice'],
    ['a pipe', [{ path: 'x', type: 'FIFO' }], 'FIFO'],
    ['a name that comes twice', [{ path: 'x' }, { path: './x' }], 'two files of one name'],
    ['a file below a file', [{ path: 'x' }, { path: 'x/y' }], 'a file and a folder of one name'],
  ])('refuses %s and leaves nothing', async (_what, entries, sentence) => {
    const message = await refusal(gzipSync(tarOf([{ path: 'fine', body: Buffer.from('x') }, ...entries])));
    expect(message).toContain('BadArchive');
    expect(message).toContain(sentence);
  });

  it.each<[string, Buffer, string]>([
    ['what is not gzip', Buffer.from('no archive at all'), 'not a gzip file'],
    ['nothing', Buffer.alloc(0), 'not a'],
    ['gzip of something else', gzipSync(Buffer.from('hello '.repeat(500))), 'not a tar archive'],
    [
      'a gzip file that is cut off',
      gzipSync(tarOf([{ path: 'x', body: Buffer.alloc(99) }])).subarray(0, 40),
      'cut off',
    ],
    ['gzip in gzip', gzipSync(gzipSync(tarOf([{ path: 'x' }]))), 'compressed twice'],
    ['a bomb', gzipSync(tarOf([{ path: 'x', body: Buffer.alloc(30_000_000) }])), '100 times its size'],
  ])('refuses %s', async (_what, bytes, sentence) => {
    const message = await refusal(bytes);
    expect(message).toContain('BadArchive');
    expect(message).toContain(sentence);
  });

  it('keeps to its limits of entries and bytes', async () => {
    const three = gzipSync(tarOf(['a', 'b', 'c'].map((path) => ({ path, body: Buffer.from(path.repeat(900)) }))));
    expect(await refusal(three, { ...ARCHIVE_LIMITS, entriesMax: 2 })).toContain('more than 2 entries');
    expect(await refusal(three, { ...ARCHIVE_LIMITS, bytesMax: 1500 })).toContain('more than 1500 bytes');
  });
});

describe('packFolder', () => {
  it('gives the same bytes for the same contents, whenever they were written', async () => {
    const digests = [];
    for (const time of [1, 2_000_000]) {
      const folder = fresh();
      mkdirSync(join(folder, 'b'), { recursive: true });
      for (const name of time === 1 ? ['z', 'a', 'b/c'] : ['b/c', 'a', 'z']) writeFileSync(join(folder, name), name);
      utimesSync(join(folder, 'a'), time, time);
      await packFolder(folder, `${folder}.tar.gz`, signal);
      digests.push(
        createHash('sha256')
          .update(readFileSync(`${folder}.tar.gz`))
          .digest('hex'),
      );
    }
    expect(digests[0]).toBe(digests[1]);
  });

  it('never packs what a link points to outside the folder', async () => {
    const folder = fresh();
    mkdirSync(folder);
    writeFileSync(join(folder, 'real'), 'kept');
    symlinkSync('real', join(folder, 'inside'));
    symlinkSync('/etc/passwd', join(folder, 'outside'));
    symlinkSync('.', join(folder, 'loop'));
    await packFolder(folder, `${folder}.tar.gz`, signal);
    const target = fresh();
    await extractArchive(createReadStream(`${folder}.tar.gz`), target, signal);
    expect(readdirSync(target).sort()).toEqual(['inside', 'real']);
    expect(readFileSync(join(target, 'inside'), 'utf8')).toBe('kept');
  });
});

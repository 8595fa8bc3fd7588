import { pause } from '@slipway/kit/stopwatch';
import { describe, expect, it } from 'vitest';
import type { Worker, WorkerRequest, WorkerResponse } from '../engine/engine.ts';
import { ServingError } from './errors.ts';
import { ModelCache, opaqueNameOf } from './model-cache.ts';

const request: WorkerRequest = { body: new Uint8Array(), contentType: 'text/csv', accept: '*/*' };

/** Stands for a container's process: it holds so many models and answers 507 beyond. */
class Container implements Worker {
  readonly id = 'w';
  readonly pid = 1;
  readonly loaded = new Set<string>();
  readonly calls: string[] = [];
  readonly #room: number;
  readonly #names: ReadonlyMap<string, string>;
  gate: Promise<void> = Promise.resolve();

  constructor(room: number, keys: readonly string[]) {
    this.#room = room;
    this.#names = new Map(keys.map((key) => [opaqueNameOf(key), key]));
  }

  async load(model: string) {
    await this.gate;
    this.calls.push(`load ${this.#names.get(model)}`);
    if (this.loaded.has(model)) return { status: 409, message: 'loaded' };
    if (this.loaded.size >= this.#room) return { status: 507, message: 'no memory' };
    this.loaded.add(model);
    return { status: 200, message: '' };
  }

  async unload(model: string) {
    this.calls.push(`unload ${this.#names.get(model)}`);
    return { status: this.loaded.delete(model) ? 200 : 404, message: '' };
  }

  async invoke({ model = '' }: WorkerRequest): Promise<WorkerResponse> {
    await Promise.resolve();
    const status = this.loaded.has(model) ? 200 : 404;
    return { status, contentType: 'text/csv', body: Buffer.from(this.#names.get(model) ?? '') };
  }

  onExit(): void {
    // It never dies by itself.
  }

  async close(): Promise<void> {
    this.loaded.clear();
  }
}

const KEYS = ['a', 'b', 'c', 'd'];

function cacheOf(container: Container, options: { loadedMax?: number; keep?: boolean; waitMs?: number } = {}) {
  const fetched: string[] = [];
  const cache = new ModelCache({
    fetch: async (key) => {
      fetched.push(key);
      if (!KEYS.includes(key)) throw new ServingError({ kind: 'model-missing', bucket: 'b', key });
      return `/models/${key}`;
    },
    worker: async () => container,
    loadedMax: options.loadedMax ?? 10,
    keep: options.keep ?? true,
    ...(options.waitMs === undefined ? {} : { waitMs: options.waitMs }),
  });
  const ask = async (key: string): Promise<string> => {
    const answer = await cache.invoke(key, request);
    return `${answer.status} ${Buffer.from(answer.body).toString()}`;
  };
  return { cache, fetched, ask };
}

describe('a model cache', () => {
  it('loads a model once for any number of requests that come together', async () => {
    const container = new Container(9, KEYS);
    const { ask, fetched } = cacheOf(container);
    expect(await Promise.all(['a', 'a', 'b', 'a'].map(ask))).toEqual(['200 a', '200 a', '200 b', '200 a']);
    expect(fetched).toEqual(['a', 'b']);
    expect(container.calls).toEqual(['load a', 'load b']);
  });

  it('unloads the least recently used model when the container has no memory left', async () => {
    const container = new Container(2, KEYS);
    const { ask, cache } = cacheOf(container);
    for (const key of ['a', 'b', 'a', 'c']) expect(await ask(key)).toBe(`200 ${key}`);
    expect(container.calls).toEqual(['load a', 'load b', 'load c', 'unload b', 'load c']);
    expect(cache.loadedKeys).toEqual(['a', 'c']);
  });

  it('keeps to its own limit of loaded models', async () => {
    const container = new Container(9, KEYS);
    const { ask, cache } = cacheOf(container, { loadedMax: 2 });
    for (const key of ['a', 'b', 'c', 'd']) await ask(key);
    expect(cache.loadedKeys).toEqual(['c', 'd']);
    expect(container.loaded.size).toBe(2);
  });

  it('never unloads a model that a request is using', async () => {
    const container = new Container(1, KEYS);
    const { cache, ask } = cacheOf(container);
    await ask('a');
    let release = (): void => undefined;
    container.invoke = async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return { status: 200, contentType: '', body: new Uint8Array() };
    };
    const busy = cache.invoke('a', request);
    await expect(cache.invoke('b', request)).rejects.toMatchObject({ problem: { kind: 'load-failed', status: 507 } });
    expect(container.calls).not.toContain('unload a');
    release();
    expect((await busy).status).toBe(200);
  });

  it('unloads at once what is not to be kept', async () => {
    const container = new Container(9, KEYS);
    const { ask } = cacheOf(container, { keep: false });
    await ask('a');
    await ask('a');
    expect(container.calls).toEqual(['load a', 'unload a', 'load a', 'unload a']);
  });

  it('tells a request that waited too long, and lets the load go on for the next', async () => {
    const container = new Container(9, KEYS);
    let open = (): void => undefined;
    container.gate = new Promise((resolve) => (open = resolve));
    const { ask, fetched } = cacheOf(container, { waitMs: 20 });
    await expect(ask('a')).rejects.toMatchObject({ problem: { kind: 'not-ready' } });
    open();
    await pause(0);
    expect(await ask('a')).toBe('200 a');
    expect(fetched).toEqual(['a']);
  });

  it('tries a model that was missing again when it is asked for again', async () => {
    const { ask, fetched } = cacheOf(new Container(9, KEYS));
    await expect(ask('x')).rejects.toMatchObject({ problem: { kind: 'model-missing' } });
    await expect(ask('x')).rejects.toMatchObject({ problem: { kind: 'model-missing' } });
    expect(fetched).toEqual(['x', 'x']);
  });

  it('loads everything anew into a new worker', async () => {
    const container = new Container(9, KEYS);
    const { ask, cache } = cacheOf(container);
    await ask('a');
    await container.close();
    cache.forget();
    expect(await ask('a')).toBe('200 a');
  });
});

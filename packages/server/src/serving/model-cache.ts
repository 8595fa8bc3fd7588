import { createHash } from 'node:crypto';
import { after, stopwatch, type Stopwatch } from '@slipway/kit/stopwatch';
import type { Worker, WorkerRequest, WorkerResponse } from '../engine/engine.ts';
import { ServingError } from './errors.ts';

export interface ModelCacheOptions {
  /** Brings the model of a key to a folder on disk and gives its path. Not called again for a key that is there. */
  readonly fetch: (key: string, opaqueName: string) => Promise<string>;
  readonly worker: () => Promise<Worker>;
  /** How many models may be loaded at once. */
  readonly loadedMax: number;
  /** False: a model is unloaded after each request. */
  readonly keep: boolean;
  readonly waitMs?: number;
  readonly loadMs?: number;
}

interface Entry {
  readonly opaqueName: string;
  readonly loaded: Promise<void>;
  ready: boolean;
  /** Requests that use it or wait for it now; such a model is never unloaded. */
  users: number;
  lastUsedMs: number;
}

/** AWS answers ModelNotReadyException after a minute, and lets the load go on for six. */
const WAIT_MS = 60_000;
const LOAD_MS = 360_000;
const INVOKE_MS = 60_000;
/** How many models one load may push out before it is given up. */
const EVICTIONS_MAX = 1_000;

/**
 * The models that a multi-model worker has loaded. Each is loaded once however many requests want it; the least recently
 * used is unloaded when there are too many or the container has no memory left (507), but never one that is in use. An
 * unloaded model stays on disk, and a new object under an old key is not noticed, as on AWS.
 */
export class ModelCache {
  readonly #options: ModelCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #unloading = new Map<string, Promise<unknown>>();
  readonly #watch: Stopwatch = stopwatch();

  constructor(options: ModelCacheOptions) {
    this.#options = options;
  }

  /** For tests and metrics: the keys that are loaded, least recently used first. */
  get loadedKeys(): readonly string[] {
    return [...this.#entries]
      .filter(([, entry]) => entry.ready)
      .sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs)
      .map(([key]) => key);
  }

  /** The worker is a new one: nothing is loaded in it. */
  forget(): void {
    this.#entries.clear();
  }

  /** @throws ServingError */
  async invoke(key: string, request: WorkerRequest): Promise<WorkerResponse> {
    const entry = this.#entry(key);
    entry.users += 1;
    try {
      await this.#ready(entry);
      const answer = await this.#ask(entry, request);
      // 507 at a request: the container has run out of memory with what it has loaded.
      if (answer.status !== 507 || !(await this.#evictOne(await this.#options.worker()))) return answer;
      return await this.#ask(entry, request);
    } finally {
      entry.users -= 1;
      entry.lastUsedMs = this.#watch.elapsedMs();
      if (!this.#options.keep && entry.users === 0 && this.#entries.get(key) === entry) await this.#unload(key, entry);
    }
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const opaqueName = opaqueNameOf(key);
    const loaded = this.#load(key, opaqueName);
    const entry: Entry = { opaqueName, loaded, ready: false, users: 0, lastUsedMs: this.#watch.elapsedMs() };
    this.#entries.set(key, entry);
    // A load that failed is tried again by the next request.
    loaded.then(
      () => (entry.ready = true),
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    return entry;
  }

  async #ready(entry: Entry): Promise<void> {
    if (entry.ready) return;
    const waitMs = this.#options.waitMs ?? WAIT_MS;
    let cancel = (): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const why = 'the model is still being loaded';
      cancel = after(waitMs, () => reject(new ServingError({ kind: 'not-ready', why })));
    });
    await Promise.race([entry.loaded, late]).finally(() => cancel());
  }

  async #ask(entry: Entry, request: WorkerRequest): Promise<WorkerResponse> {
    const worker = await this.#options.worker();
    return worker.invoke({ ...request, model: entry.opaqueName }, INVOKE_MS);
  }

  async #load(key: string, opaqueName: string): Promise<void> {
    await this.#unloading.get(key)?.catch(() => undefined);
    const folder = await this.#options.fetch(key, opaqueName);
    const worker = await this.#options.worker();
    while (this.loadedKeys.length >= this.#options.loadedMax && (await this.#evictOne(worker)));
    for (let evictions = 0; ; evictions += 1) {
      const answer = await worker.load(opaqueName, folder, this.#options.loadMs ?? LOAD_MS);
      if (answer.status === 200 || answer.status === 409) return;
      const mayEvict = answer.status === 507 && evictions < EVICTIONS_MAX;
      if (!mayEvict || !(await this.#evictOne(worker))) {
        throw new ServingError({ kind: 'load-failed', status: answer.status, message: answer.message });
      }
    }
  }

  /** @returns false when every loaded model is in use */
  async #evictOne(worker: Worker): Promise<boolean> {
    for (const key of this.loadedKeys) {
      const entry = this.#entries.get(key);
      if (entry === undefined || entry.users > 0) continue;
      await this.#unload(key, entry, worker);
      return true;
    }
    return false;
  }

  async #unload(key: string, entry: Entry, worker?: Worker): Promise<void> {
    // Out of the map first: a request that comes while it is being unloaded loads it anew, after this.
    this.#entries.delete(key);
    const unloaded = (async () => (worker ?? (await this.#options.worker())).unload(entry.opaqueName))();
    this.#unloading.set(key, unloaded);
    // A worker that is gone has unloaded everything.
    await unloaded.catch(() => undefined);
    if (this.#unloading.get(key) === unloaded) this.#unloading.delete(key);
  }
}

/** AWS names a model to its container by 32 hexadecimal digits. */
export function opaqueNameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}

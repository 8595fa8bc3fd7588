import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fleet } from './fleet.ts';
import type { FleetPlan } from './plan.ts';
import type { ServingParts } from './variant.ts';

/** The fleets that live in this process, by their plans' ids. Every method may be repeated. */
export class Fleets {
  readonly #parts: ServingParts;
  readonly #fleets = new Map<string, Promise<Fleet>>();
  readonly #closing = new AbortController();

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  /** The plan's fleet, started if it is not there. One that failed is tried anew by the next call. @throws FleetFailed */
  async ensure(plan: FleetPlan): Promise<Fleet> {
    const known = this.#fleets.get(plan.id);
    if (known !== undefined) return known;
    const opened = this.#open(plan);
    this.#fleets.set(plan.id, opened);
    opened.catch(() => {
      if (this.#fleets.get(plan.id) === opened) this.#fleets.delete(plan.id);
    });
    return opened;
  }

  /** Answers what is in flight, ends the workers and deletes the models on disk. */
  async retire(id: string): Promise<void> {
    const fleet = await this.#fleets.get(id)?.catch(() => undefined);
    await fleet?.drain();
    this.#fleets.delete(id);
    await rm(join(this.#parts.folder, id), { recursive: true, force: true });
  }

  /** Deletes what fleets of an earlier process left that no endpoint names any more. */
  async sweep(isWanted: (id: string) => boolean): Promise<void> {
    const found = await readdir(this.#parts.folder).catch(() => []);
    for (const id of found) {
      if (this.#fleets.has(id) || isWanted(id)) continue;
      await rm(join(this.#parts.folder, id), { recursive: true, force: true });
    }
  }

  /** Ends all workers without waiting for requests; what is on disk is taken up by the next process. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the server is closing'));
    await Promise.allSettled([...this.#fleets.values()].map(async (fleet) => (await fleet).close()));
  }

  async #open(plan: FleetPlan): Promise<Fleet> {
    this.#closing.signal.throwIfAborted();
    const fleet = new Fleet(this.#parts, plan);
    await fleet.open(this.#closing.signal);
    return fleet;
  }
}

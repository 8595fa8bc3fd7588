import type { Owner } from '@slipway/kit/machine';
import { after } from '@slipway/kit/stopwatch';
import { ServingError } from './errors.ts';
import type { Fleet } from './fleet.ts';

interface Waiting {
  readonly ready: Promise<Fleet>;
  readonly resolve: (fleet: Fleet) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Which fleet answers for each endpoint. An update swaps the fleet in one assignment. An endpoint that is in service in
 * the database but whose workers are still being started, after a restart, is expected: its requests wait.
 */
export class Routes {
  readonly #fleets = new Map<string, Fleet>();
  readonly #expected = new Map<string, Waiting>();

  /** @returns undefined for an endpoint that is not in service */
  fleet(owner: Owner, endpoint: string): Fleet | undefined {
    return this.#fleets.get(keyOf(owner, endpoint));
  }

  /** Waits for an endpoint's workers, up to `waitMs`. @throws ServingError not-ready */
  async held(owner: Owner, endpoint: string, waitMs: number): Promise<Fleet | undefined> {
    const waiting = this.#expected.get(keyOf(owner, endpoint));
    if (waiting === undefined) return this.fleet(owner, endpoint);
    let cancel = (): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const why = 'the endpoint’s workers are still being started';
      cancel = after(waitMs, () => reject(new ServingError({ kind: 'not-ready', why })));
    });
    return Promise.race([waiting.ready, late]).finally(() => cancel());
  }

  expect(owner: Owner, endpoint: string): void {
    const key = keyOf(owner, endpoint);
    if (this.#expected.has(key) || this.#fleets.has(key)) return;
    let resolve: Waiting['resolve'] = () => undefined;
    let reject: Waiting['reject'] = () => undefined;
    const ready = new Promise<Fleet>((yes, no) => ((resolve = yes), (reject = no)));
    ready.catch(() => undefined);
    this.#expected.set(key, { ready, resolve, reject });
  }

  /** @returns the fleet that answered before */
  swap(owner: Owner, endpoint: string, fleet: Fleet): Fleet | undefined {
    const key = keyOf(owner, endpoint);
    const before = this.#fleets.get(key);
    this.#fleets.set(key, fleet);
    this.#expected.get(key)?.resolve(fleet);
    this.#expected.delete(key);
    return before;
  }

  remove(owner: Owner, endpoint: string): void {
    const key = keyOf(owner, endpoint);
    this.#fleets.delete(key);
    this.#expected.get(key)?.reject(new ServingError({ kind: 'closed' }));
    this.#expected.delete(key);
  }
}

function keyOf(owner: Owner, endpoint: string): string {
  return `${owner.account}/${owner.region}/${endpoint}`;
}

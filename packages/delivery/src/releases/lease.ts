import { canonical } from '../digest.ts';
import { LeaseHeld } from '../errors.ts';
import type { AnswerTime } from '../aws.ts';
import type { ProjectObjects } from '../objects.ts';

const LEASE_MS = 15 * 60_000;
const RENEW_BELOW_MS = 10 * 60_000;

interface LeaseFile {
  readonly holder: string;
  /** Differs for each command, so that one person's two commands exclude each other too. */
  readonly token: string;
  readonly expiresAt: string;
  readonly released: boolean;
}

/**
 * Keeps others from changing an endpoint at the same time. It excludes only those who ask: a stalled holder may still
 * act after its lease was taken over, which is why each change is preceded by `check` and the log carries intents.
 */
export class Lease {
  readonly #objects: ProjectObjects;
  readonly #time: AnswerTime;
  readonly #key: string;
  readonly #endpoint: string;
  readonly #file: LeaseFile;
  #etag: string;
  #expiresAt: number;

  private constructor(
    place: { objects: ProjectObjects; time: AnswerTime; key: string; endpoint: string },
    file: LeaseFile,
    etag: string,
  ) {
    this.#objects = place.objects;
    this.#time = place.time;
    this.#key = place.key;
    this.#endpoint = place.endpoint;
    this.#file = file;
    this.#etag = etag;
    this.#expiresAt = Date.parse(file.expiresAt);
  }

  /** @throws LeaseHeld when someone else holds one that has not run out */
  static async take(
    place: { objects: ProjectObjects; time: AnswerTime; key: string; endpoint: string },
    holder: string,
    token: string,
  ): Promise<Lease> {
    const found = await place.objects.json<LeaseFile>(place.key);
    const now = place.time.now();
    if (found !== undefined && !found.value.released && Date.parse(found.value.expiresAt) > now) {
      throw new LeaseHeld(place.endpoint, found.value.holder, found.value.expiresAt);
    }
    const file = { holder, token, expiresAt: new Date(now + LEASE_MS).toISOString(), released: false };
    const body = canonical(file);
    const etag =
      found === undefined
        ? await place.objects.putNew(place.key, body)
        : await place.objects.putOver(place.key, body, found.etag);
    if (etag !== undefined) return new Lease(place, file, etag);
    const quicker = await place.objects.json<LeaseFile>(place.key);
    // A retried request of our own may have been answered 412 after it had been carried out.
    if (quicker?.value.token === token) return new Lease(place, file, quicker.etag);
    throw new LeaseHeld(place.endpoint, quicker?.value.holder ?? 'Another command', quicker?.value.expiresAt ?? 'soon');
  }

  /** Looks again before a change, and renews when little is left. @throws LeaseHeld when it was taken over */
  async check(): Promise<void> {
    const found = await this.#objects.json<LeaseFile>(this.#key);
    if (found?.value.token !== this.#file.token) {
      throw new LeaseHeld(
        this.#endpoint,
        found?.value.holder ?? 'Another command',
        found?.value.expiresAt ?? 'unknown',
      );
    }
    if (this.#expiresAt - this.#time.now() > RENEW_BELOW_MS) return;
    const expiresAt = this.#time.now() + LEASE_MS;
    const body = canonical({ ...this.#file, expiresAt: new Date(expiresAt).toISOString() });
    const etag = await this.#objects.putOver(this.#key, body, found.etag);
    if (etag === undefined) throw new LeaseHeld(this.#endpoint, 'Another command', 'unknown');
    this.#etag = etag;
    this.#expiresAt = expiresAt;
  }

  /** Lets go. A lease that was taken over meanwhile is not touched. */
  async release(): Promise<void> {
    const body = canonical({ ...this.#file, released: true });
    await this.#objects.putOver(this.#key, body, this.#etag);
  }
}

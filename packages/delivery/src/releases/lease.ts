import { randomUUID } from 'node:crypto';
import { canonical } from '../digest.ts';
import { LeaseHeld } from '../errors.ts';
import type { AnswerTime } from '../aws.ts';
import type { ProjectObjects } from '../objects.ts';

const LEASE_MS = 15 * 60_000;
const RENEW_BELOW_MS = 10 * 60_000;

/** Who takes leases: a person, in one process. */
export interface LeaseHolder {
  readonly name: string;
  /** Names the process among all that may hold a lease, for example `laptop/4711/1790000000`. */
  readonly process: string;
  /** True only when it is certain that the named process has ended, so that its lease protects nothing any more. */
  readonly isGone: (process: string) => boolean;
  /** Tokens of the leases that this process holds now. */
  readonly tokens: Set<string>;
}

interface LeaseFile {
  readonly holder: string;
  readonly process: string;
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
  readonly #tokens: Set<string>;
  #etag: string;
  #expiresAt: number;

  private constructor(
    place: { objects: ProjectObjects; time: AnswerTime; key: string; endpoint: string },
    file: LeaseFile,
    etag: string,
    tokens: Set<string>,
  ) {
    this.#tokens = tokens;
    tokens.add(file.token);
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
    holder: LeaseHolder,
  ): Promise<Lease> {
    const found = await place.objects.json<LeaseFile>(place.key);
    const now = place.time.now();
    if (found !== undefined && Date.parse(found.value.expiresAt) > now && protects(found.value, holder)) {
      throw new LeaseHeld(place.endpoint, found.value.holder, found.value.expiresAt);
    }
    const token = randomUUID();
    const { name, process } = holder;
    const file = { holder: name, process, token, expiresAt: new Date(now + LEASE_MS).toISOString(), released: false };
    const body = canonical(file);
    const etag =
      found === undefined
        ? await place.objects.putNew(place.key, body)
        : await place.objects.putOver(place.key, body, found.etag);
    if (etag !== undefined) return new Lease(place, file, etag, holder.tokens);
    const quicker = await place.objects.json<LeaseFile>(place.key);
    // A retried request of our own may have been answered 412 after it had been carried out.
    if (quicker?.value.token === token) return new Lease(place, file, quicker.etag, holder.tokens);
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
    this.#tokens.delete(this.#file.token);
    const body = canonical({ ...this.#file, released: true });
    await this.#objects.putOver(this.#key, body, this.#etag);
  }
}

/**
 * Whether a lease that has not run out still stands for somebody at work. One that its own process gave up without being
 * able to say so (the service was away), or whose process was killed, does not.
 */
function protects(file: LeaseFile, holder: LeaseHolder): boolean {
  if (file.released) return false;
  return file.process === holder.process ? holder.tokens.has(file.token) : !holder.isGone(file.process);
}

import { createHash } from 'node:crypto';

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The first 12 hex digits: what names carry. */
export function short(digest: string): string {
  return digest.slice(0, 12);
}

/** JSON whose text does not depend on the order in which an object's keys were set. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function digestOf(value: unknown): string {
  return sha256(canonical(value));
}

import type { BucketKey } from '../buckets/store.ts';
import { afterPrefix, keyText } from '../names.ts';
import { afterAllKeys } from '../objects/store.ts';
import type { ObjectStore, ObjectVersion } from '../objects/store.ts';

export interface Listing {
  readonly prefix: Buffer;
  /** Empty for none. */
  readonly delimiter: Buffer;
  /** The first key that may be listed, by bytes. */
  readonly from: Buffer;
  /** Keys and common prefixes together. */
  readonly limit: number;
}

export interface Page {
  readonly objects: ObjectVersion[];
  readonly commonPrefixes: string[];
  /** What was listed last and where the next page begins; absent on the last page. */
  readonly next?: { readonly from: Buffer; readonly last: string };
}

const maxBatch = 500;

/** The common prefix that a key is rolled up into, if any: through the first delimiter after the listing's prefix. */
export function rollUp(key: Uint8Array, prefix: Buffer, delimiter: Buffer): Buffer | undefined {
  if (delimiter.length === 0) return undefined;
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const at = bytes.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : bytes.subarray(0, at + delimiter.length);
}

export const laterOf = (a: Buffer, b: Buffer): Buffer => (Buffer.compare(a, b) >= 0 ? a : b);
const justAfter = (key: Uint8Array): Buffer => Buffer.concat([key, Buffer.from([0])]);

/**
 * One page in the order of keys' bytes. A common prefix costs one seek past all its keys, however many there are, so a
 * page costs about as many index look-ups as it has entries.
 */
export function listPage(objects: ObjectStore, bucket: BucketKey, listing: Listing): Page {
  const { prefix, delimiter, limit } = listing;
  const end = afterPrefix(prefix) ?? afterAllKeys;
  const found: ObjectVersion[] = [];
  const commonPrefixes: string[] = [];
  let from = laterOf(listing.from, prefix);
  let last = '';
  let batch = delimiter.length === 0 ? maxBatch : 2;
  for (;;) {
    const room = limit - found.length - commonPrefixes.length;
    const rows = objects.current(bucket, from, end, Math.min(batch, room + 1));
    let jumped = false;
    for (const row of rows) {
      if (found.length + commonPrefixes.length === limit) {
        return { objects: found, commonPrefixes, next: { from, last } };
      }
      const rolled = rollUp(row.key, prefix, delimiter);
      if (rolled === undefined) {
        found.push(row);
        last = keyText(row.key);
        from = justAfter(row.key);
        continue;
      }
      last = keyText(rolled);
      commonPrefixes.push(last);
      from = afterPrefix(rolled) ?? Buffer.from(afterAllKeys);
      jumped = true;
      break;
    }
    if (!jumped && rows.length < Math.min(batch, room + 1)) return { objects: found, commonPrefixes };
    // Few rows are read ahead where folders follow each other, many where plain keys do.
    batch = jumped ? 2 : Math.min(maxBatch, batch * 2);
  }
}

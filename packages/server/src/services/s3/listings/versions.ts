import type { BucketKey } from '../buckets/store.ts';
import { afterPrefix, keyText } from '../names.ts';
import { afterAllKeys } from '../objects/store.ts';
import type { ObjectStore, ObjectVersion } from '../objects/store.ts';
import { laterOf, rollUp } from './seek.ts';

export interface VersionListing {
  readonly prefix: Buffer;
  readonly delimiter: Buffer;
  /** '' from the start. */
  readonly keyMarker: string;
  /** With it, older versions of the marker's key come first; without it, the key is left out. */
  readonly versionMarker: string;
  readonly limit: number;
}

export interface VersionPage {
  readonly versions: ObjectVersion[];
  readonly commonPrefixes: string[];
  readonly next?: { readonly key: string; readonly versionId: string | undefined };
}

interface Position {
  readonly from: Buffer;
  /** Of the key `from` itself, only versions with a smaller sequence. */
  readonly before: number;
}

const everyVersion = Number.MAX_SAFE_INTEGER;

function start(objects: ObjectStore, bucket: BucketKey, listing: VersionListing): Position {
  const { prefix, delimiter, keyMarker, versionMarker } = listing;
  if (keyMarker === '') return { from: prefix, before: everyVersion };
  const marker = Buffer.from(keyMarker, 'utf8');
  // A page that ended with a common prefix names it as its marker.
  if (rollUp(marker, prefix, delimiter)?.equals(marker) === true) {
    return { from: laterOf(afterPrefix(marker) ?? marker, prefix), before: everyVersion };
  }
  const sequence = versionMarker === '' ? 0 : (objects.sequenceOf(bucket, marker, versionMarker) ?? everyVersion);
  const from = laterOf(marker, prefix);
  return { from, before: from === marker ? sequence : everyVersion };
}

/** Every version and delete marker, keys in the order of their bytes, of each key the newest first. */
export function listVersionPage(objects: ObjectStore, bucket: BucketKey, listing: VersionListing): VersionPage {
  const { prefix, delimiter, limit } = listing;
  const versions: ObjectVersion[] = [];
  const commonPrefixes: string[] = [];
  if (limit === 0) return { versions, commonPrefixes };
  const end = afterPrefix(prefix) ?? afterAllKeys;
  let { from, before } = start(objects, bucket, listing);
  let last: { key: string; versionId: string | undefined } = { key: '', versionId: undefined };
  for (;;) {
    const room = limit - versions.length - commonPrefixes.length;
    const rows = objects.versions(bucket, from, before, end, room + 1);
    let jumped = false;
    for (const { version, sequence } of rows) {
      if (versions.length + commonPrefixes.length === limit) return { versions, commonPrefixes, next: last };
      const rolled = rollUp(version.key, prefix, delimiter);
      if (rolled === undefined) {
        versions.push(version);
        last = { key: keyText(version.key), versionId: version.versionId };
        from = Buffer.from(version.key);
        before = sequence;
        continue;
      }
      const common = keyText(rolled);
      commonPrefixes.push(common);
      last = { key: common, versionId: undefined };
      from = afterPrefix(rolled) ?? Buffer.from(afterAllKeys);
      before = everyVersion;
      jumped = true;
      break;
    }
    if (!jumped) return { versions, commonPrefixes };
  }
}

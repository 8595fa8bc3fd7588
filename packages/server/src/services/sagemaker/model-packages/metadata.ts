import { BadMetadata } from './errors.ts';

const ENTRIES_MAX = 50;
const KEY_MAX = 128;
const VALUE_MAX = 256;
/** Letters, spaces, digits and `_ . : / = + - @`: JSON does not fit. Source: the model's CustomerMetadata shapes. */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

type Metadata = Readonly<Record<string, string>>;

/** @throws BadMetadata */
export function checkMetadata(metadata: Metadata | undefined): void {
  const entries = Object.entries(metadata ?? {});
  if (entries.length > ENTRIES_MAX) throw new BadMetadata(`there are more than ${ENTRIES_MAX} entries`);
  for (const [key, value] of entries) {
    if (key.length === 0 || key.length > KEY_MAX) throw new BadMetadata(`the key "${key}" is not 1 to ${KEY_MAX} long`);
    if (value.length > VALUE_MAX) throw new BadMetadata(`the value of ${key} is longer than ${VALUE_MAX} characters`);
    if (!ALLOWED.test(key) || !ALLOWED.test(value)) {
      throw new BadMetadata(`${key} has a character other than letters, digits, spaces and _ . : / = + - @`);
    }
  }
}

/** Adds and replaces, then removes. @throws BadMetadata when there are too many after it */
export function changedMetadata(
  before: Metadata | undefined,
  added: Metadata | undefined,
  removed: readonly string[] | undefined,
): Metadata | undefined {
  const entries = new Map([...Object.entries(before ?? {}), ...Object.entries(added ?? {})]);
  for (const key of removed ?? []) entries.delete(key);
  const after = Object.fromEntries(entries);
  checkMetadata(after);
  return entries.size === 0 ? undefined : after;
}

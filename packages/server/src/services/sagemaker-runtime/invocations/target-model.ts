import { ValidationError } from './errors.ts';

const BYTES_MAX = 1024;

/**
 * Checks a TargetModel, which is a key below the endpoint's prefix: nothing in it may lead out, now or after another
 * decoding somewhere.
 *
 * @throws ValidationError
 */
export function checkTargetModel(name: string): void {
  const why = problemOf(name);
  if (why !== undefined) throw new ValidationError(`Invalid target model "${printable(name)}": ${why}.`);
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (Buffer.byteLength(name) > BYTES_MAX) return `it is longer than ${BYTES_MAX} bytes`;
  if (name.startsWith('/')) return 'it begins with a slash';
  if (name.endsWith('/')) return 'it ends with a slash';
  if (name.includes('//')) return 'it has an empty folder name';
  if (/%(2e|2f|5c|00)/i.test(name)) return 'it has an encoded dot, slash or zero';
  if (/\p{Cc}|\\/u.test(name)) return 'it has a control character or a backslash';
  if (name.split('/').some((part) => part === '..' || part === '.')) return 'it has a relative folder name';
  return undefined;
}

function printable(name: string): string {
  return name.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}

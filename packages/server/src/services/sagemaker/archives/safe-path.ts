/** A relative path that stays below its folder, whatever an archive, a key or a header says. */
export function isSafePath(path: string): boolean {
  if (path === '' || path.startsWith('/') || path.includes('\0') || path.length > 1024) return false;
  return path
    .split('/')
    .every((part) => part !== '..' && part !== '.' && part !== '' && Buffer.byteLength(part) <= 255);
}

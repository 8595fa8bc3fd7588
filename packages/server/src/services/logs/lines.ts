/** One event of a stream: a line of its file, or a piece of a very long one. */
export interface Line {
  /** Of its first byte in the file; with `end` it makes the positions that tokens name. */
  readonly offset: number;
  /** After its line feed. */
  readonly end: number;
  readonly message: string;
}

/** CloudWatch's limit for one event; longer lines become several. */
export const maxLineBytes = 256 * 1024;

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/**
 * What CloudWatch would show. SageMaker's hosts write control characters as `#` and three octal digits, which the metric
 * patterns of the built-in algorithms rely on (a tab is `#011`). Bytes that are not UTF-8 become U+FFFD.
 */
export function cleanLine(bytes: Uint8Array): string {
  return decoder
    .decode(bytes)
    .replace(/\r$/, '')
    .replace(/\p{Cc}/gu, (control) => `#${control.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** Where a piece of a long line may end: not within a character. */
function cutAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= maxLineBytes) return end;
  let cut = start + maxLineBytes;
  while (cut > start + maxLineBytes - 4 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return cut;
}

/**
 * Splits bytes that begin at a line's start.
 *
 * @param base the offset of the first byte in the file
 * @param takeRest whether bytes after the last line feed are a line as well
 * @returns lines that are not empty (CloudWatch has no empty events), and how far they go
 */
export function splitLines(bytes: Buffer, base: number, takeRest: boolean): { lines: Line[]; end: number } {
  const lines: Line[] = [];
  let start = 0;
  while (start < bytes.length) {
    const feed = bytes.indexOf(0x0a, start);
    if (feed < 0 && !takeRest && bytes.length - start <= maxLineBytes) break;
    const contentEnd = feed < 0 ? bytes.length : feed;
    const cut = cutAt(bytes, start, contentEnd);
    if (feed < 0 && !takeRest && cut === bytes.length) break;
    const end = cut < contentEnd ? cut : feed < 0 ? contentEnd : feed + 1;
    const message = cleanLine(bytes.subarray(start, cut));
    if (message !== '') lines.push({ offset: base + start, end: base + end, message });
    start = end;
  }
  return { lines, end: base + start };
}

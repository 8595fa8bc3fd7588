import { UnsupportedPattern } from './errors.ts';

/**
 * The unstructured filter patterns of CloudWatch Logs: words that must all occur, `-word` that must not, `?word` of which
 * one must, `"several words"`. Case matters. Patterns for JSON, for columns and regular expressions are refused.
 *
 * @throws UnsupportedPattern
 */
export function parsePattern(pattern: string | undefined): (message: string) => boolean {
  const text = pattern?.trim() ?? '';
  if (text === '') return () => true;
  if (/^[[{]|%/.test(text)) throw new UnsupportedPattern(text);
  const all: string[] = [];
  const none: string[] = [];
  const any: string[] = [];
  for (const [, sign, quotedTerm, word] of text.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)) {
    const term = quotedTerm?.replace(/\\(.)/g, '$1') ?? word ?? '';
    if (term === '') continue;
    (sign === '-' ? none : sign === '?' ? any : all).push(term);
  }
  return (message) =>
    all.every((term) => message.includes(term)) &&
    !none.some((term) => message.includes(term)) &&
    (any.length === 0 || any.some((term) => message.includes(term)));
}

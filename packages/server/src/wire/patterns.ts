/**
 * Patterns in AWS's models are Java regular expressions that must match the whole value. JavaScript takes nearly all of
 * them; these rewrites cover the rest of what the models use (a test compiles every pattern of every model):
 * POSIX classes of Java, `\A` and `\z`, and a repeated end anchor, which Java reads as one.
 */
const REWRITES: readonly (readonly [RegExp, string])[] = [
  [/\\p\{Alnum\}/g, 'a-zA-Z0-9'],
  [/\\p\{Print\}/g, '\\x20-\\x7E'],
  [/\\[Az]/g, ''],
  [/\$\{\d+,\d+\}/g, '$'],
];

/** Longer values are not matched: a failed length constraint says enough, and no pattern of ours needs more. */
export const LONGEST_MATCHED = 1024 * 1024;

/** @returns undefined where JavaScript cannot express the pattern; such a pattern is then not checked */
export function toRegExp(javaPattern: string): RegExp | undefined {
  const pattern = REWRITES.reduce((text, [from, to]) => text.replace(from, to), javaPattern);
  const whole = `^(?:${pattern})$`;
  try {
    return new RegExp(whole, 'u');
  } catch {
    // Unicode mode refuses escapes that Java allows (`\-`, `\ `), but without it `\p` would be the letter p.
    if (/\\[pP]/.test(pattern)) return undefined;
  }
  try {
    return new RegExp(whole);
  } catch {
    return undefined;
  }
}

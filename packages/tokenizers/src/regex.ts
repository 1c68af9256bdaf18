import { Matcher } from './regex/matcher.js';
import { stringToUnits } from './text/normalized-text.js';

export { TokenizerError } from './errors.js';

/**
 * Compiles a pattern to a test whether it matches a whole text, in time linear in text × pattern.
 *
 * @param pattern in Oniguruma's syntax, that of `tokenizer.json`
 * @throws TokenizerError naming the pattern and what is wrong with it; the test throws if it exceeds the limit on
 * steps
 * @example
 * wholeMatcher('blocks\\.\\d+\\.attn')('blocks.11.attn'); // true
 */
export function wholeMatcher(pattern: string): (text: string) => boolean {
  // By itself first, so that its parentheses are known to be balanced.
  new Matcher(pattern);
  const matcher = new Matcher(`\\A(?:${pattern})\\z`);
  return (text) => {
    const units = stringToUnits(text);
    matcher.begin(units, 0, units.length);
    return matcher.next(0);
  };
}

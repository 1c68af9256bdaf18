import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { hardTexts } from '../goldens/read.node.js';
import { gpt2Pattern, scannerOf } from '../pre-tokenizers/scanners.js';
import { stringToUnits } from '../text/normalized-text.js';
import { matchesIn } from '../text/pattern.js';
import { Matcher } from './matcher.js';

vi.setConfig({ testTimeout: 60_000 });

const findBy = (matcher: Matcher, text: string): string[] =>
  matchesIn(matcher, stringToUnits(text), 0, text.length).map(([start, end]) =>
    text.slice(start, end),
  );
const find = (pattern: string, text: string): string[] => findBy(new Matcher(pattern), text);

test.each<[pattern: string, text: string, matches: string[]]>([
  ['a|ab', 'abab', ['a', 'a']],
  ['ab|a', 'aba', ['ab', 'a']],
  ['a+?b', 'aaab', ['aaab']],
  ['a{2,3}', 'aaaaa', ['aaa', 'aa']],
  ['a{2,3}?', 'aaaaa', ['aa', 'aa']],
  ['a{,2}b', 'aaab', ['aab']],
  ['a{2}{2}', 'aaaaa', ['aaaa']],
  ['x{,}', 'x{,}', ['x{,}']],
  ['(?>a+)ab', 'aaab', []],
  ['a++ab|b', 'aaab', ['b']],
  ['(?i:straße)', 'STRAßE', ['STRAßE']],
  ['(?i)k', 'kKK', ['k', 'K', 'K']],
  ['(?i)i', 'iIıİ', ['i', 'I']],
  ['a(?-i:B)(?i:c)', 'aBC abC', ['aBC']],
  ['a(?=b)', 'abac', ['a']],
  ['a(?!b)', 'abac', ['a']],
  ['(?<=a)b', 'abcb', ['b']],
  ['(?<!a)b', 'abcb', ['b']],
  // The counts of Oniguruma, as tokenizers 0.23.3 has it.
  ['(?<=ab)c', 'abc bc c', ['c']],
  ['(?<!ab|c)d', 'abd cd d', ['d']],
  ['(?<=a*)b', 'ab b', ['b', 'b']],
  ['(?<!a*)b', 'ab b', []],
  ['(?<=x{1,2})b', 'xxb b', ['b']],
  ['(?<=ab{0,3}?)c', 'abbc bc', ['c']],
  ['(?<=(?:a|bc) )d', 'a d bc d d', ['d', 'd']],
  ['(?<!a|ab|foo)x', 'foox axx', ['x']],
  ['(?<=\\bt.*)n', 'an tan n', ['n', 'n']],
  ['(?<=(?<=a)b)c', 'abc bc', ['c']],
  ['(?<!(?<=a)b)c', 'abc bc', ['c']],
  ['(?<=\\Aab)c', 'abc abc', ['c']],
  ['(?<=^)a', 'aa\na', ['a', 'a']],
  ['(?<=😀)b', '😀b b', ['b']],
  ['(?<=)a', 'aa', ['a', 'a']],
  ['(?<name>a)(?:b)', 'ab', ['ab']],
  ['[^\\s\\p{L}]+', 'a1 ,b', ['1', ',']],
  ['[a-c&&[^b]]+', 'abcab', ['a', 'ca']],
  ['[]a]+', 'a]b', ['a]']],
  ['[a-]+', 'a-b', ['a-']],
  ['[[:digit:][:upper:]]+', 'aB1c', ['B1']],
  ['\\p{^L}+', 'a12b', ['12']],
  ['\\P{Han}+', '漢ab字', ['ab']],
  ['\\p{Script=Greek}+', 'aβγ', ['βγ']],
  ['\\x{1F600}|\\u00e9|\\x41', 'é😀A', ['é', '😀', 'A']],
  ['.', 'a\n😀', ['a', '😀']],
  ['(?m:.)', 'a\n', ['a', '\n']],
  ['^a$', 'a\nb\na', ['a', 'a']],
  ['\\Aa|a\\z', 'aba', ['a', 'a']],
  ['\\ba|a\\B', 'a aa', ['a', 'a']],
  ['(a*)*b', 'aab', ['aab']],
  ['(?:a|b)*?c', 'abac', ['abac']],
  ['a*', 'baa', ['', 'aa']],
  ['', 'ab', ['', '', '']],
])('%j in %j', (pattern, text, matches) => {
  expect(find(pattern, text)).toEqual(matches);
});

test.each<[pattern: string, message: string]>([
  ['(', "an unclosed '('"],
  ['a)', "an unopened ')'"],
  ['[a', "an unclosed '['"],
  ['*a', 'nothing to repeat'],
  ['a\\', 'a backslash at its end'],
  ['(a)\\1', "'\\1'"],
  ['\\k<a>', "'\\k'"],
  ['(?<=(?=a)a)c', 'a look-ahead inside a look-behind'],
  ['(?<!a++)c', 'an atomic group or possessive repeat inside a look-behind'],
  ['\\p{Klingon}', "property 'Klingon'"],
  ['[z-a]', 'a range that runs backwards'],
  ['a{3,2}', "'{3,2}'"],
  ['(?~a)', "'(?~'"],
  ['(((a{100}){100}){100})', 'has more than 20000 steps'],
  ['('.repeat(1000), 'more than 200 nested groups'],
])('%j is refused', (pattern, message) => {
  expect(() => new Matcher(pattern)).toThrow(message);
});

describe('patterns that make a backtracking engine hang', () => {
  test.each<[pattern: string, text: string, matches: number]>([
    ['(a+)+$', `${'a'.repeat(50_000)}b`, 0],
    ['(a|a)*c', 'a'.repeat(50_000), 0],
    ['(a|aa)+$', `${'a'.repeat(50_000)}b`, 0],
    ['(.*)*x', 'y'.repeat(50_000), 0],
    ['(?:(?:a?){30}a{30})|b', 'a'.repeat(3_000), 50],
    ['([a-z]+)*\\d', 'a'.repeat(50_000), 0],
    ['a*b|a', 'a'.repeat(50_000), 50_000],
    ['(?:a*?)*?b', 'a'.repeat(50_000), 0],
    ['(?=(a+)+$)a|b', `${'a'.repeat(20_000)}b`, 1],
    ['(\\s*)*$(?!.)x', ' '.repeat(50_000), 0],
    ['(?:(?=(?:(?=a*)a)*)a)*b', 'a'.repeat(50_000), 0],
    ['(?=a*b)a', `${'a'.repeat(50_000)}b`, 50_000],
    ['(?<=ba*)a', `b${'a'.repeat(50_000)}`, 50_000],
    ['(?<=(a+)+)b', `${'a'.repeat(50_000)}bb`, 1],
    ['(?<!(b|a)*c)a', 'a'.repeat(50_000), 50_000],
  ])('%j', (pattern, text, count) => {
    expect(find(pattern, text).length).toBe(count);
  });

  test('what is not linear is stopped with the pattern named', () => {
    const text = 'a'.repeat(3_000);
    expect(() => find('(?>a*)b', text)).toThrow(/pattern '.*': takes too many steps/);
  });
});

describe('hand-written scanners match exactly as the engine', () => {
  const llama = (digits: string) =>
    `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
  const patterns = [gpt2Pattern, llama('\\p{N}{1,3}'), llama('\\p{N}')];

  const scanned = (pattern: string, text: string): string[] => {
    const scan = scannerOf(pattern)!;
    const units = stringToUnits(text);
    const words: string[] = [];
    for (let at = 0; at < text.length; ) {
      const end = scan(units, at, text.length);
      words.push(text.slice(at, end));
      at = end;
    }
    return words;
  };

  const character = fc.oneof(
    fc.constantFrom(..." \t\n\r'sStTrReEvVmMlLdD0123456789,.!_-/"),
    // The letters of ASCII at either end of the alphabet, and what stands next to them.
    fc.constantFrom(...' @AZ[`az{\u007f\u0080\u212a\u0130'),
    fc.constantFrom(
      '\u00a0',
      '\u0085',
      '\u2028',
      '\u3000',
      'ſ',
      'é',
      'ß',
      '½',
      '٣',
      '漢',
      'ー',
      '́',
      '😀',
      '𝔘',
      '𝟘',
      '\ufeff',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  const text = fc.array(character, { maxLength: 40 }).map((chars) => chars.join(''));

  test.each(patterns)('%s', (pattern) => {
    const matcher = new Matcher(pattern);
    for (const hard of hardTexts()) {
      const sound = hard.text.toWellFormed();
      expect(scanned(pattern, sound)).toEqual(findBy(matcher, sound));
    }
    fc.assert(
      fc.property(text, (random) => {
        expect(scanned(pattern, random)).toEqual(findBy(matcher, random));
      }),
      { numRuns: 5_000 },
    );
  });
});

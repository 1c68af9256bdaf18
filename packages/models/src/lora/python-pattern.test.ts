import { expect, test } from 'vitest';
import golden from '../goldens/python-patterns.json' with { type: 'json' };
import { fullMatcher } from './python-pattern.js';

const modules = golden.cases.find(({ pattern }) => pattern === null)!.matches;

test.each(golden.cases.filter(({ pattern }) => pattern !== null))(
  "$pattern matches what Python's re.fullmatch does",
  ({ pattern, matches }) => {
    expect(modules.filter(fullMatcher(pattern!))).toEqual(matches);
  },
);

test.each<[pattern: string, message: string]>([
  [String.raw`(a)\1`, String.raw`cannot use '\1'`],
  ['(?P<x>a)(?P=x)', "cannot use '(?'"],
  ['(?x) a', "cannot use '(?x)'"],
  ['a(?i)b', "cannot use '(?i)'"],
  [String.raw`\p{L}`, String.raw`cannot use '\p'`],
  ['a{2}+', "cannot use '{2}+'"],
  ['a{100000}', "cannot use '{100000}'"],
  ['a)|(b', "an unopened ')'"],
  ['[a', "an unclosed '['"],
  ['(', "an unclosed '('"],
  ['a'.repeat(10_001), 'a pattern has 10001 characters'],
])('%s is refused', (pattern, message) => {
  expect(() => fullMatcher(pattern)).toThrow(message);
});

test('no pattern runs for longer than its length times that of the name', () => {
  const name = `${'a'.repeat(40)}!`;
  for (const pattern of ['(a+)+', '(a|aa)+', '(.*)*x', '(a*)*(a*)*b', '(?:a?){40}a{40}']) {
    expect(fullMatcher(pattern)(name)).toBe(false);
  }
});

import { expect, test } from 'vitest';
import { byJson, byOption, byPattern, countVotes } from '../index.js';

test('by a pattern: its group, the last match unless told otherwise', () => {
  const answer = 'First 12, then the answer is 42. Or is the answer is 43?';
  expect(byPattern(/answer is (-?\d+)/)(answer)).toEqual({ value: '43' });
  expect(byPattern(/answer is (-?\d+)/, { which: 'first' })(answer)).toEqual({ value: '42' });
  expect(byPattern(/\d+/g)(answer)).toEqual({ value: '43' });
  expect(byPattern(/yes/i)(answer)).toEqual({ problem: 'nothing in the answer matches /yes/i' });
});

test('by option: the last one that is named as a word, in any case; the longer of two', () => {
  const find = byOption(['Positive', 'Negative', 'very negative', 'C++', 'Straße']);
  expect(find('It is not positive: NEGATIVE.')).toEqual({ value: 'Negative' });
  expect(find('positively nonnegative')).toMatchObject({
    problem: expect.stringContaining("'C++'"),
  });
  expect(find('It is very negative')).toEqual({ value: 'very negative' });
  expect(find('I like c++!')).toEqual({ value: 'C++' });
  expect(find('die straße')).toEqual({ value: 'Straße' });
  const signs = [
    'non-toxic',
    'toxic',
    'a|b',
    '[c]',
    '{d}',
    '^e$',
    '(f)',
    '/g',
    'h?',
    '\\i',
    'j.',
    'k*',
  ];
  for (const sign of signs) expect(byOption(signs)(`It is ${sign} `)).toEqual({ value: sign });
  expect(byOption(['j.'])('It is jo ')).toHaveProperty('problem');
  expect(() => byOption([])).toThrow('there are no options');
  expect(() => byOption(['a', ''])).toThrow('an option is empty');
});

test('by a JSON schema: the last JSON of the answer, checked', () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' }, names: { type: 'array', items: { type: 'string' } } },
    required: ['n'],
  };
  const find = byJson<{ n: number }>(schema);
  expect(find('Sure {ok}: {"n": 3, "names": ["a}", "\\"{"]} and that is all.')).toEqual({
    value: { n: 3, names: ['a}', '"{'] },
  });
  expect(find('{"n": 1} no, {"n": 2}')).toEqual({ value: { n: 2 } });
  expect(find('{"n": "three"}')).toMatchObject({
    problem: expect.stringMatching(/^the JSON of the answer is not of its schema: \/n: /),
  });
  expect(find('none {here')).toEqual({ problem: 'there is no JSON object or array in the answer' });
  expect(byJson()('a [1, [2]] b')).toEqual({ value: [1, [2]] });
  expect(() => byJson({ not: { type: 'string' } })).toThrow('the schema cannot be checked');
});

test('votes, by hand: the most frequent first, of equal ones the first; answers without a value count', () => {
  const answers = ['4', '5', '5', undefined, '4', '6'].map((value) =>
    value === undefined ? { problem: 'none' } : { value },
  );
  expect(countVotes(answers)).toEqual([
    { value: '4', count: 2, share: 2 / 6 },
    { value: '5', count: 2, share: 2 / 6 },
    { value: '6', count: 1, share: 1 / 6 },
  ]);
  const same = countVotes([{ value: '4' }, { value: '4.0' }, { value: '5' }], (text) => `${+text}`);
  expect(same[0]).toEqual({ value: '4', count: 2, share: 2 / 3 });
  expect(countVotes([{ problem: 'none' }])).toEqual([]);
});

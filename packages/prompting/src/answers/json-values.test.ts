import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byJson } from './extract.js';
import { jsonValues } from './json-values.js';

/** The same by trying every end of every bracket. */
function byTrying(text: string): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '{' && text[at] !== '[') continue;
    for (let end = at + 2; end <= text.length; end++) {
      try {
        JSON.parse(text.slice(at, end));
      } catch {
        continue;
      }
      found.push([at, end]);
      at = end - 1;
      break;
    }
  }
  return found;
}

test('JSON in a text is what JSON.parse takes, the outermost of it', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\\',
    ' ',
    '1',
    '-0.5e1',
    'true',
    'a',
    '"a":',
    '{"a":[',
    ']}',
    '\n',
    '01',
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((all) => all.join(''));
  fc.assert(
    fc.property(text, (written) => {
      expect(jsonValues(written)).toEqual(byTrying(written));
    }),
    { seed: 1, numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const written = `x ${JSON.stringify([a], null, 1)} y ${JSON.stringify({ b })}`;
      expect(jsonValues(written).map((span) => JSON.parse(written.slice(...span)))).toEqual(
        [[a], { b }].map((value) => JSON.parse(JSON.stringify(value))),
      );
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('a text of brackets is read in linear time', () => {
  const many = 50_000;
  for (const unmatched of ['{', '[', '[{"a":', '["[0,",', '{"']) {
    expect(jsonValues(unmatched.repeat(many))).toEqual([]);
  }
  const deep = '{ '.repeat(many) + '} '.repeat(many);
  expect(byJson()(`${deep}[1]`)).toEqual({ value: [1] });
});

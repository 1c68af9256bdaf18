import { trainByteLevelBpe, trainCharacter } from '@headwise/tokenizers';
import { beforeAll, describe, expect, test } from 'vitest';
import { createGrammar, type Grammar } from './grammar.js';

const texts = ['yes, no and "quoted" größe 12.5'];
let grammar: Grammar;
let ids: (text: string) => readonly number[];
beforeAll(async () => {
  const tokenizer = await trainByteLevelBpe(texts, { vocabSize: 270 });
  grammar = createGrammar(tokenizer);
  ids = (text) => tokenizer.encode(text).ids;
});

/** Whether a constraint allows each token of a text, and that it ends there. */
function accepts(constraint: ReturnType<Grammar['regex']>, text: string): boolean {
  const state = constraint.start();
  for (const id of ids(text)) {
    const mask = state.mask(1000)!;
    if (((mask[id >> 5]! >>> (id & 31)) & 1) === 0) return false;
    state.accept(id);
  }
  return state.rest === 0;
}

describe('regex', () => {
  const cases: [string, string[], string[]][] = [
    ['yes|no', ['yes', 'no'], ['ye', 'yesno', '']],
    ['[a-c]{2,3}x?', ['ab', 'abcx'], ['a', 'abca']],
    ['^(?:ö|\\d+\\.\\d)$', ['ö', '12.5'], ['o', '12.', '12.55']],
    ['[^a]*', ['', 'böé🙂'], ['ba']],
    ['\\p{Lu}\\w+', ['Ab', 'Éa'], ['ab', 'Aé']],
  ];
  for (const [pattern, yes, no] of cases) {
    test(`/${pattern}/ is what RegExp matches as a whole`, () => {
      const constraint = grammar.regex(pattern);
      for (const text of [...yes, ...no]) {
        const expected = new RegExp(`^(?:${pattern})$`, 'u').test(text);
        expect(expected).toBe(yes.includes(text));
        expect(accepts(constraint, text), text).toBe(expected);
      }
    });
  }

  test('what is not regular is refused by name', () => {
    expect(() => grammar.regex('(a)\\1')).toThrow(
      'regex: \\1 of /(a)\\1/ is not part of regular languages',
    );
    expect(() => grammar.regex('a(?=b)')).toThrow('regex: (?=b) of /a(?=b)/ is an assertion');
    expect(() => grammar.regex('a(')).toThrow('regex: ');
    expect(() => grammar.regex('[]')).toThrow('grammar: no text meets it');
  });
});

describe('ebnf', () => {
  test('rules, recursion, classes, repetitions and comments', () => {
    const sums = grammar.ebnf(`
      root ::= term (op term){0,3}  # a sum
      op   ::= " + " | "\\x2d"
      term ::= [0-9]+ | "(" root ")"
    `);
    for (const text of ['1', '1 + 2', '(1-22) + 3', '((7))'])
      expect(accepts(sums, text)).toBe(true);
    for (const text of ['', '1 +', '(1', '1-1-1-1-1']) expect(accepts(sums, text)).toBe(false);
  });

  test('mistakes are named with their place', () => {
    const refused: [string, string][] = [
      ['start ::= "a"', 'ebnf: no rule root'],
      ['root ::= "a', 'ebnf: line 1, column 12: the end; expected the end of the string'],
      ['root ::= other', 'grammar: rule other is not defined'],
      ['root ::= root "a" | "b"', 'grammar: rule root begins with itself'],
      ['root ::= "a" root', 'grammar: no text meets it'],
      ['root ::= (', 'ebnf: line 1, column 11: the end; expected )'],
      ['root ::= "a"\nroot ::= "b"', 'ebnf: rule root is defined twice'],
    ];
    for (const [text, message] of refused) expect(() => grammar.ebnf(text)).toThrow(message);
  });
});

describe('jsonSchema refuses', () => {
  const refused: [unknown, string][] = [
    [
      { type: 'integer', minimum: 5, maximum: 3 },
      '#: the bounds are 5 and 3; expected a number between them',
    ],
    [{ type: 'array', minItems: 3, maxItems: 1 }, '#: minItems and maxItems are 3 and 1'],
    [{ type: 'string', minLength: 3, maxLength: 1 }, '#: minLength and maxLength are 3 and 1'],
    [{ properties: { a: { not: {} } } }, '#/properties/a: keyword "not" is not supported'],
    [{ type: 'array', uniqueItems: true }, '#: keyword "uniqueItems" is not supported'],
    [{ type: 'number', multipleOf: 2 }, '#: keyword "multipleOf" is not supported'],
    [{ type: 'string', format: 'iri' }, '#: format is "iri"; expected one of date'],
    [{ allOf: [{ pattern: '^a+$' }, { pattern: '^b' }] }, 'grammar: no text meets it'],
    [{ type: 'array', additionalItems: false }, '#: items, prefixItems and additionalItems'],
    [
      { propertyNames: { enum: ['a'] }, properties: { b: {} } },
      '#/propertyNames: ["a"]; expected a list of names alone, with all that properties and required have, such as "b"',
    ],
    [{ propertyNames: { type: 'integer' } }, '#/propertyNames: type "integer" is not supported'],
    [
      { propertyNames: { pattern: 'a' }, required: ['a'] },
      '#/propertyNames: a pattern or a length beside',
    ],
    [{ type: 'string', minimum: 2 }, '#: minimum is for numbers, but type is "string"'],
    [{ type: 'blah' }, '#: type is "blah"; expected object'],
    [{ enum: [] }, '#: enum is []; expected a list of values'],
    [{ type: 'string', enum: [1] }, '#: enum has no value of type "string"'],
    [
      { required: ['a'], additionalProperties: false },
      '#: required names "a", which additionalProperties',
    ],
    [{ $ref: '#/$defs/x' }, '#: $ref is "#/$defs/x", but "$defs" is not there'],
    [
      { oneOf: [{ type: 'number' }, { type: 'integer' }] },
      '#: oneOf: a value may meet both 0 and 1',
    ],
    [{ type: 'string', pattern: '^a$', minLength: 2 }, 'grammar: no text meets it'],
    [{ type: 'string', pattern: '(?=a)b' }, '#: pattern: (?=a) of /(?=a)b/'],
    [false, 'grammar: no text meets it'],
    [3, '#: 3; expected a schema: an object, true or false'],
  ];
  for (const [schema, message] of refused) {
    test(JSON.stringify(schema), () => {
      expect(() => grammar.jsonSchema(schema)).toThrow(message);
    });
  }
});

describe('jsonSchema takes', () => {
  const names = { type: 'object', additionalProperties: { type: 'integer' } };
  const taken: [schema: unknown, yes: string[], no: string[]][] = [
    [
      { type: 'string', format: 'uuid', pattern: '^a.*0$' },
      ['"a0000000-0000-4000-8000-000000000000"'],
      ['"00000000-0000-4000-8000-000000000000"', '"a0"'],
    ],
    [{ type: 'string', format: 'starts_with', pattern: '^ab.*' }, ['"abc"'], ['"ba"']],
    [
      { allOf: [{ pattern: '^a' }, { pattern: '\\d' }, { pattern: 'z$' }], maxLength: 4 },
      ['"a1z"', '"a12z"'],
      ['"az"', '"a123z"'],
    ],
    [
      { type: 'string', format: 'uri' },
      ['"https://example.com/a?b=c#d"', '"http://a.org"'],
      ['"https://"', '"http://1.2.3.4"'],
    ],
    [
      { items: [{ type: 'integer' }, { type: 'boolean' }], additionalItems: false, minItems: 2 },
      ['[1,true]'],
      ['[1]', '[1,true,2]'],
    ],
    [
      { items: [{ type: 'integer' }], additionalItems: { type: 'boolean' } },
      ['[]', '[1]', '[1,true,false]'],
      ['[true]', '[1,2]'],
    ],
    [{ ...names, propertyNames: { type: 'string' } }, ['{}', '{"a":1}'], ['{1:1}']],
    [
      { ...names, propertyNames: { enum: ['x', 'y'] }, required: ['x'] },
      ['{"x":1}', '{"x":1,"y":2}'],
      ['{}', '{"x":1,"z":2}', '{"y":1}'],
    ],
    [{ ...names, propertyNames: { pattern: '^[a-c]+$' } }, ['{"ab":1}'], ['{"d":1}', '{"":1}']],
    [{ type: 'string', contentEncoding: 'base64', pattern: '^YQ==$' }, ['"YQ=="'], ['"a"']],
  ];
  for (const [schema, yes, no] of taken) {
    test(JSON.stringify(schema), () => {
      const constraint = grammar.jsonSchema(schema);
      for (const text of yes) expect(accepts(constraint, text), text).toBe(true);
      for (const text of no) expect(accepts(constraint, text), text).toBe(false);
    });
  }
});

test('numbers within bounds are those that a comparison allows', () => {
  const bounds = [-12.5, -1, -0.25, 0, 0.1, 3, 10.75];
  const texts = [
    '-13',
    '-12.5',
    '-12.50',
    '-3',
    '-1',
    '-0.3',
    '-0.25',
    '-0.1',
    '0',
    '0.05',
    '0.1',
    '0.10',
    '0.2',
    '3',
    '3.0',
    '5.5',
    '10.75',
    '10.751',
    '11',
  ];
  for (const minimum of bounds) {
    for (const maximum of bounds.filter((value) => value > minimum)) {
      const inclusive = grammar.jsonSchema({ type: 'number', minimum, maximum });
      const exclusive = grammar.jsonSchema({
        type: 'number',
        exclusiveMinimum: minimum,
        exclusiveMaximum: maximum,
      });
      for (const text of texts) {
        const value = Number(text);
        expect(accepts(inclusive, text), `${minimum} ≤ ${text} ≤ ${maximum}`).toBe(
          value >= minimum && value <= maximum,
        );
        expect(accepts(exclusive, text), `${minimum} < ${text} < ${maximum}`).toBe(
          value > minimum && value < maximum,
        );
      }
    }
  }
});

test('a grammar takes JSON schemas for rules', () => {
  const pair = { type: 'array', items: { $ref: '#/$defs/one' }, minItems: 2, maxItems: 2 };
  const schemas = {
    numbers: { ...pair, $defs: { one: { type: 'integer', minimum: 7 } } },
    words: { ...pair, $defs: { one: { enum: ['no'] } } },
    object: { type: 'object', properties: { a: { enum: [1] } } },
  };
  const constraint = grammar.ebnf('root ::= "n" numbers | "w" words numbers? | object', schemas);
  for (const text of ['n[7, 8]', 'w["no","no"]', 'w["no","no"][9,7]', '{"a":1}', '{}']) {
    expect(accepts(constraint, text), text).toBe(true);
  }
  for (const text of ['n["no","no"]', 'w[7,8]', 'n[6,7]', '7']) {
    expect(accepts(constraint, text), text).toBe(false);
  }
  expect(() => grammar.ebnf('root ::= a\na ::= "x"', { a: true })).toThrow(
    'ebnf: a is a rule and a schema',
  );
  expect(() => grammar.ebnf('root ::= a', { a: { enum: [] } })).toThrow('#: enum is []');
});

test('a vocabulary without the characters is refused, and what was compiled is kept', async () => {
  const letters = createGrammar(await trainCharacter(['abc']));
  expect(() => letters.json()).toThrow('grammar: the vocabulary lacks characters');
  expect(letters.regex('a+')).toBe(letters.regex('a+'));
});

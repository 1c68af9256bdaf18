import { describe, expect, test } from 'vitest';
import { Tokenizer } from './index.js';

// biome-ignore lint/suspicious/noExplicitAny: files may hold anything, and these do.
type Json = Record<string, any>;

/** A small tokenizer with some fields changed. */
const changed = (change: (json: Json) => void): Record<string, unknown> => {
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [] as unknown[],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: [['a', 'b']] } as object,
  };
  change(json);
  return json;
};

type Case = [what: string, change: (json: Json) => void, message: string];

const cases: Case[] = [
  ['another version', (j) => (j.version = '2.0'), 'version is "2.0"; expected "1.0"'],
  [
    'a piece length of 0',
    (j) => (j.pre_tokenizer = { type: 'FixedLength', length: 0 }),
    'pre_tokenizer.length is 0; expected a whole number of at least 1',
  ],
  [
    'a replacement of two characters',
    (j) => (j.decoder = { type: 'Metaspace', replacement: '__' }),
    'decoder.replacement is "__"; expected one character',
  ],
  [
    'a character to strip that is two',
    (j) => (j.decoder = { type: 'Strip', content: 'ab', start: 1, stop: 0 }),
    'decoder.content is "ab"; expected one character',
  ],
  ['no model', (j) => delete j.model, 'model is missing; expected an object'],
  [
    'an unknown model',
    (j) => (j.model.type = 'Markov'),
    'model.type is "Markov"; expected one of BPE',
  ],
  ['no vocabulary', (j) => delete j.model.vocab, 'model.vocab is missing; expected an object'],
  ['no merges', (j) => delete j.model.merges, 'model.merges is missing; expected an array'],
  ['an array for a vocabulary', (j) => (j.model.vocab = ['a']), 'model.vocab'],
  [
    'an id in quotes',
    (j) => (j.model.vocab.a = '0'),
    `model.vocab['a'] is "0"; expected a whole number`,
  ],
  [
    'a broken id',
    (j) => (j.model.vocab.a = 0.5),
    `model.vocab['a'] is 0.5; expected a whole number`,
  ],
  [
    'a negative id',
    (j) => (j.model.vocab.a = -1),
    `model.vocab['a'] is -1; expected a whole number`,
  ],
  ['an enormous id', (j) => (j.model.vocab.a = 2 ** 40), `model.vocab['a'] is 1099511627776`],
  [
    'a merge of three',
    (j) => (j.model.merges = ['a b c']),
    'model.merges[0] is "a b c"; expected two tokens',
  ],
  [
    'a merge of a number',
    (j) => (j.model.merges = [['a', 'b'], 7]),
    'model.merges[1] is 7; expected two tokens',
  ],
  [
    'an unknown left token',
    (j) => (j.model.merges = [['x', 'b']]),
    "model.merges[0] is 'x b'; the vocabulary lacks 'x'",
  ],
  [
    'an unknown right token',
    (j) => (j.model.merges = ['a x']),
    "model.merges[0] is 'a x'; the vocabulary lacks 'x'",
  ],
  [
    'an unknown result',
    (j) => (j.model.merges = ['b a']),
    "model.merges[0] is 'b a'; the vocabulary lacks 'ba'",
  ],
  ['a dropout above 1', (j) => (j.model.dropout = 2), 'model.dropout is 2; expected 0 to 1'],
  [
    'an unknown normalizer',
    (j) => (j.normalizer = { type: 'Magic' }),
    'normalizer.type is "Magic"; expected one of Bert, BertNormalizer',
  ],
  [
    'an unknown part of a sequence',
    (j) =>
      (j.pre_tokenizer = {
        type: 'Sequence',
        pretokenizers: [{ type: 'Whitespace' }, { type: 'Magic' }],
      }),
    'pre_tokenizer.pretokenizers[1].type is "Magic"; expected one of BertPreTokenizer',
  ],
  [
    'a part named as a method',
    (j) => (j.decoder = { type: 'toString' }),
    'decoder.type is "toString"',
  ],
  [
    'a part without type',
    (j) => (j.post_processor = {}),
    'post_processor.type is missing; expected a string',
  ],
  [
    'a normalizer that is text',
    (j) => (j.normalizer = 'NFC'),
    'normalizer is "NFC"; expected an object',
  ],
  [
    'a broken pattern',
    (j) => (j.pre_tokenizer = { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' }),
    "pattern '(': cannot use an unclosed '('",
  ],
  [
    'a pattern of neither kind',
    (j) => (j.normalizer = { type: 'Replace', pattern: { Glob: '*' }, content: '' }),
    'normalizer.pattern is {"Glob":"*"}; expected { "String": … }',
  ],
  [
    'a charsmap that is not base64',
    (j) => (j.normalizer = { type: 'Precompiled', precompiled_charsmap: '?' }),
    'precompiled_charsmap is "?"; expected base64',
  ],
  [
    'a charsmap cut short',
    (j) => (j.normalizer = { type: 'Precompiled', precompiled_charsmap: 'AAAA' }),
    'expected a table',
  ],
  [
    'added tokens in an object',
    (j) => (j.added_tokens = {}),
    'added_tokens is {}; expected an array',
  ],
  [
    'an added token without id',
    (j) => (j.added_tokens = [{ content: 'x' }]),
    'added_tokens[0].id is missing',
  ],
  [
    'a template with an unknown token',
    (j) =>
      (j.post_processor = {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: 'X', type_id: 0 } }],
        pair: [],
        special_tokens: {},
      }),
    'single[0].SpecialToken.id is "X"; expected a token of',
  ],
  ['a truncation without length', (j) => (j.truncation = {}), 'truncation.max_length is missing'],
  [
    'a padding of another kind',
    (j) => (j.padding = { strategy: 'Most' }),
    'padding.strategy is "Most"; expected an object',
  ],
  [
    'a Unigram token without score',
    (j) => (j.model = { type: 'Unigram', unk_id: 0, vocab: [['a']] }),
    'model.vocab[0] is ["a"]; expected a token and its score',
  ],
  [
    'an unk_id outside',
    (j) => (j.model = { type: 'Unigram', unk_id: 3, vocab: [['a', 0]] }),
    'model.unk_id is 3; expected an id below 1',
  ],
];

describe.each(cases)('%s', (_, change, message) => {
  const json = changed(change);

  test('fromJSON refuses it', () => {
    expect(() => Tokenizer.fromJSON(json, 'x.json')).toThrow(message);
  });

  test('fromBytes refuses it with the same words', () => {
    const bytes = new TextEncoder().encode(JSON.stringify(json));
    expect(() => Tokenizer.fromBytes(bytes, 'x.json')).toThrow(message);
  });
});

test.each<[string, string]>([
  ['', 'expected'],
  ['[]', 'the document is []; expected an object'],
  ['null', 'the document is null; expected an object'],
  ['{"model"', "expected ':'"],
  ['{"model": {"type": "BPE", "vocab": {"a": 0', "the end of the file at byte 42; expected '}'"],
  ['{"model": {"vocab": {"a\\x": 0}}}', 'expected an escape'],
  ['{"model": {"vocab": {"a\\u12": 0}}}', 'expected four hexadecimal digits'],
  ['{"model": {"vocab": {"a\n": 0}}}', 'expected no control character'],
  ['{"model": {"vocab": {}, "merges": [["a", "b"}}', 'is not JSON'],
  ['{"version": 1.0.0, "model": {}}', 'is not JSON: in the value at byte 12'],
  ['{} {}', 'expected the end of the file'],
])('the bytes of %j are refused', (text, message) => {
  expect(() => Tokenizer.fromBytes(new TextEncoder().encode(text), 'x.json')).toThrow(message);
});

test('bytes that are not UTF-8 are refused', () => {
  const bytes = new TextEncoder().encode('{"model": {"vocab": {"?": 0}}}');
  bytes[22] = 0xc3;
  expect(() => Tokenizer.fromBytes(bytes, 'x.json')).toThrow('expected UTF-8');
});

describe('what is given to a tokenizer', () => {
  const tokenizer = Tokenizer.fromJSON(changed(() => {}));

  test.each([[null], [undefined], [7], [{}], [['a']]])('encode refuses %j', (text) => {
    expect(() => tokenizer.encode(text as never)).toThrow(
      `encode: text is ${JSON.stringify(text)}; expected a string`,
    );
    expect(() => tokenizer.encodePair('a', text as never)).toThrow('expected a string');
  });

  test.each([
    ['BPE', { vocab: { a: 0 }, merges: [], unk_token: 'u' }],
    ['WordPiece', { vocab: { a: 0 }, unk_token: 'u' }],
    ['WordLevel', { vocab: { a: 0 }, unk_token: 'u' }],
  ])('%s without its unknown token encodes what it knows, and refuses the rest', (type, model) => {
    const lacking = Tokenizer.fromJSON(changed((j) => (j.model = { type, ...model })));
    expect(lacking.encode('a').ids).toEqual([0]);
    expect(() => lacking.encode('b')).toThrow(
      "'b' is not covered by any token, and the vocabulary lacks the unknown token 'u'",
    );
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 60, '1', null])('decode refuses %j for an id', (id) => {
    const message = `is ${JSON.stringify(id)}; expected a whole number of at least 0`;
    expect(() => tokenizer.decode([0, id as number])).toThrow(`decode: ids[1] ${message}`);
    expect(() => tokenizer.decodeStream().push(id as number)).toThrow(
      `decodeStream: id ${message}`,
    );
  });

  test('truncation refuses a length or a stride that leaves nothing', () => {
    const encode = (maxLength: number, stride = 0) =>
      tokenizer.encode('ababab', { truncation: { maxLength, stride } });
    expect(() => encode(-1)).toThrow('truncation.maxLength is -1; expected at least 0');
    expect(() => encode(2, 2)).toThrow('truncation.stride is 2; expected 0 to 1');
    const only = { maxLength: 2, strategy: 'only-second' } as const;
    expect(() => tokenizer.encodePair('ababab', 'a', { truncation: only })).toThrow(
      'the second text has 1 tokens; expected more than the 2 to cut off',
    );
  });

  test('a word of more than 2^25 code units is refused before it is merged', () => {
    expect(() => tokenizer.encode('a'.repeat(2 ** 25 + 1))).toThrow(
      'encode: text has a word of 33554433 UTF-16 code units; expected at most 33554432',
    );
  });

  test('a text of more than 2^27 code units is refused before it is read', () => {
    const text = 'a'.repeat(2 ** 27 + 1);
    expect(() => tokenizer.encode(text)).toThrow('encode: text has 134217729 UTF-16 code units');
  });
});

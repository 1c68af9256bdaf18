import { expect, test } from 'vitest';
import { TokenizerError } from './errors.js';
import { Tokenizer } from './tokenizer.js';

/** A small tokenizer of one part that is not honest. */
const withPart = (part: object) => ({
  model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: [['a', 'b']] },
  ...part,
});

const nested = (key: string, depth: number): object => {
  let part: object = { type: 'Sequence', [key]: [] };
  for (let i = 1; i < depth; i++) part = { type: 'Sequence', [key]: [part] };
  return part;
};
const replace = { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(20) };
const regex = (pattern: string) => ({
  pre_tokenizer: {
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  },
});
const token = (id: number, content = '<x>') => ({ added_tokens: [{ id, content, special: true }] });
const unigram = (vocab: unknown[]) => ({ model: { type: 'Unigram', unk_id: 0, vocab } });
const template = (ids: unknown, type = 0) => ({
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: 's', type_id: type } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }],
    special_tokens: { s: { id: 's', ids, tokens: ['s'] } },
  },
});

test.each<[what: string, part: object, message: string]>([
  [
    'a length of padding',
    { padding: { strategy: { Fixed: 4294967296 } } },
    'padding.strategy.Fixed is 4294967296; expected a whole number from 0 to 1048576',
  ],
  [
    'a multiple of padding',
    { padding: { pad_to_multiple_of: 2 ** 40 } },
    'padding.pad_to_multiple_of is 1099511627776; expected a whole number from 0 to',
  ],
  [
    'an id of padding',
    { padding: { pad_id: 2 ** 53 - 1 } },
    'padding.pad_id is 9007199254740991; expected a whole number from 0 to 2147483647',
  ],
  [
    'a type of padding',
    { padding: { pad_type_id: 2 ** 40 } },
    'padding.pad_type_id is 1099511627776',
  ],
  [
    'an id of the vocabulary',
    { model: { type: 'WordLevel', unk_token: 'a', vocab: { a: 67108863 } } },
    "model.vocab['a'] is 67108863; expected a whole number of at least 0, below 2^18 + 4 × the number",
  ],
  ['an id of an added token', token(2 ** 53 - 1), 'added_tokens[0].id is 9007199254740991'],
  [
    'an id far beyond the vocabulary',
    token(2 ** 30),
    'added_tokens[0].id is 1073741824; expected a whole number of at least 0, below 2^18',
  ],
  [
    'an added token as long as a book',
    token(3, 'x'.repeat(2000)),
    'added_tokens[0].content is "a text of 2000 code units"; expected at most 1024',
  ],
  [
    'an id of a template',
    template([2 ** 53 - 1]),
    'special_tokens.s.ids is [9007199254740991]; expected whole numbers from 0 to',
  ],
  ['a type of a template', template([1], 2 ** 40), 'SpecialToken.type_id is 1099511627776'],
  [
    'an id of a separator',
    { post_processor: { type: 'BertProcessing', sep: ['s', 2 ** 53 - 1], cls: ['c', 0] } },
    'post_processor.sep is ["s",9007199254740991]; expected a token and its id',
  ],
  [
    'a template of many pieces',
    {
      post_processor: {
        type: 'TemplateProcessing',
        single: new Array(300).fill({ Sequence: { id: 'A', type_id: 0 } }),
        pair: [],
        special_tokens: {},
      },
    },
    'expected at most 256 pieces',
  ],
  [
    'normalizers nested',
    { normalizer: nested('normalizers', 5000) },
    'normalizer is nested more than 100 deep',
  ],
  [
    'pre-tokenizers nested',
    { pre_tokenizer: nested('pretokenizers', 5000) },
    'pre_tokenizer is nested more than 100 deep',
  ],
  [
    'post-processors nested',
    { post_processor: nested('processors', 5000) },
    'post_processor is nested more than 100 deep',
  ],
  [
    'decoders nested',
    { decoder: nested('decoders', 5000) },
    'decoder is nested more than 100 deep',
  ],
  [
    'a value nested where a number belongs',
    { truncation: { max_length: nested('x', 5000) } },
    'truncation.max_length is',
  ],
  [
    'groups nested',
    regex('('.repeat(5000) + ')'.repeat(5000)),
    'cannot use more than 200 nested groups',
  ],
  [
    'sets nested',
    regex(`${'['.repeat(5000)}a${']'.repeat(5000)}`),
    'cannot use more than 200 nested groups',
  ],
  [
    'repeats of repeats',
    regex(`a${'*'.repeat(50_000)}`),
    'cannot use more than 20 repeats of one part',
  ],
  ['repeats of nothing', regex('(?:(?:(?:){999999}){999999}){999999}'), 'parts, repeats counted'],
  [
    'a score beyond numbers',
    unigram([
      ['a', 0],
      ['b', JSON.parse('1e999')],
    ]),
    'model.vocab[1] is ["b",null]; expected a token and its score',
  ],
  [
    'a long piece',
    unigram([
      ['a', 0],
      ['b'.repeat(2000), 0],
    ]),
    'model.vocab[1][0] is "a text of 2000 code units"',
  ],
  [
    'a long prefix',
    {
      model: {
        type: 'WordPiece',
        unk_token: 'a',
        vocab: { a: 0 },
        continuing_subword_prefix: '#'.repeat(2000),
      },
    },
    'model.continuing_subword_prefix is "a text of 2000',
  ],
])('%s is refused by its field', (_, part, message) => {
  const json = withPart(part);
  expect(() => Tokenizer.fromJSON(json)).toThrow(TokenizerError);
  expect(() => Tokenizer.fromJSON(json)).toThrow(message);
});

test('bytes of ids that no vocabulary has are refused before they are stored', () => {
  const json = '{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":67108863}}}';
  expect(() => Tokenizer.fromBytes(new TextEncoder().encode(json))).toThrow(
    "vocab['a'] is 67108863",
  );
  const wide = '{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":262200}}}';
  expect(() => Tokenizer.fromBytes(new TextEncoder().encode(wide))).toThrow("vocab['a'] is 262200");
});

test('a text that parts make longer and longer is stopped', () => {
  const parts = new Array(20).fill(replace);
  const normalizer = { type: 'Sequence', normalizers: parts };
  const long = Tokenizer.fromJSON(withPart({ normalizer }));
  expect(() => long.encode('a')).toThrow('normalizer makes more than 576 code units of a text');
  const added = { ...withPart({ normalizer }), added_tokens: [{ id: 3, content: 'aa' }] };
  expect(() => Tokenizer.fromJSON(added)).toThrow('normalizer makes more than 640 code units');
  const decoder = { type: 'Sequence', decoders: parts };
  expect(() => Tokenizer.fromJSON(withPart({ decoder })).decode([0])).toThrow(
    'decoder makes more than 576 code units of a text',
  );
  const prepends = {
    type: 'Sequence',
    normalizers: new Array(60).fill({ type: 'Prepend', prepend: 'b'.repeat(100) }),
  };
  expect(() => Tokenizer.fromJSON(withPart({ normalizer: prepends })).encode('a')).toThrow(
    'more than 576',
  );
});

test('parts that truncation makes, and padding of them, are counted before they are made', () => {
  const tokenizer = Tokenizer.fromJSON(withPart({}));
  const text = 'b'.repeat(20_000);
  const encode = (truncation: object, padding?: object) => () =>
    tokenizer.encode(text, {
      truncation: { maxLength: 1, ...truncation },
      ...(padding && { padding }),
    });
  expect(encode({ maxLength: 9000, stride: 8999 })).toThrow(
    'truncation.stride 8999 makes 99009000 tokens of 20000',
  );
  expect(encode({}, { length: 2 ** 20 })).toThrow('padding to 1048576 makes');
  const pair = () => tokenizer.encodePair(text, text, { truncation: { maxLength: 2 } });
  expect(pair).toThrow(
    'truncation cuts a pair into 20000 and 20000 parts, which make 400000000 pairs',
  );
  expect(() => tokenizer.encode('a', { padding: { length: 0.5 } })).toThrow(
    'padding.length is 0.5',
  );
});

test('a long pattern that nearly matches takes time linear in the text', () => {
  const pattern = { String: `${'a'.repeat(50_000)}b` };
  const normalizer = { type: 'Replace', pattern, content: '' };
  const tokenizer = Tokenizer.fromJSON(withPart({ normalizer }));
  expect(tokenizer.encode('a'.repeat(200_000)).length).toBe(200_000);
});

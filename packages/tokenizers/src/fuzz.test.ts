import { expect, test } from 'vitest';
import { TokenizerError } from './errors.js';
import { Tokenizer } from './tokenizer.js';

// HEADWISE_FUZZ=20000 runs so many files; HEADWISE_FUZZ_SEED begins elsewhere.
const runs = Number(process.env.HEADWISE_FUZZ ?? 200);
const firstSeed = Number(process.env.HEADWISE_FUZZ_SEED ?? 1);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Whole numbers below `n`, by the 32-bit generator of George Marsaglia. */
function randomSource(seed: number): (n: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

const special = (id: number, content: string, more = {}) => ({
  id,
  content,
  special: true,
  ...more,
});
const cls: Json = ['<s>', 0];
const sep: Json = ['</s>', 1];
const template: Json = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
};
const replace: Json = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };

const normalizers: Json[] = [
  { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, replace] },
  {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  {
    type: 'Sequence',
    normalizers: [
      { type: 'NFKC' },
      { type: 'Strip', strip_left: true, strip_right: false },
      { type: 'Lowercase' },
    ],
  },
  { type: 'Replace', pattern: { Regex: '(a|b)+|\\s' }, content: 'ab' },
  {
    type: 'SentencePiece',
    add_dummy_prefix: true,
    remove_extra_whitespaces: true,
    treat_whitespace_as_suffix: false,
    user_defined_symbols: ['<s>', 'ab'],
  },
];
const preTokenizers: Json[] = [
  { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
  { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  {
    type: 'Sequence',
    pretokenizers: [
      {
        type: 'Split',
        pattern: { Regex: '\\p{N}{1,3}|[^a]+' },
        behavior: 'Isolated',
        invert: false,
      },
      { type: 'Digits', individual_digits: true },
    ],
  },
  {
    type: 'Sequence',
    pretokenizers: [{ type: 'BertPreTokenizer' }, { type: 'FixedLength', length: 3 }],
  },
];
const postProcessors: Json[] = [
  template,
  { type: 'BertProcessing', sep, cls },
  { type: 'RobertaProcessing', sep, cls, trim_offsets: true, add_prefix_space: true },
  {
    type: 'Sequence',
    processors: [{ type: 'ByteLevel', trim_offsets: true, add_prefix_space: true }, template],
  },
  {
    type: 'Sequence',
    processors: [template, { type: 'ByteLevel', trim_offsets: true, add_prefix_space: false }],
  },
];
const decoders: Json[] = [
  {
    type: 'Sequence',
    decoders: [
      { ...replace, pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  { type: 'WordPiece', prefix: '##', cleanup: true },
  { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
];
const words = ['<s>', '</s>', '<unk>', '▁', 'a', 'b', 'ab', 'Ġ', '##a', '##b', '1', '<0x0A>'];
const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
const models: Json[] = [
  {
    type: 'BPE',
    vocab,
    merges: [['a', 'b']],
    unk_token: '<unk>',
    fuse_unk: true,
    byte_fallback: true,
  },
  { type: 'Unigram', unk_id: 2, byte_fallback: false, vocab: words.map((word, id) => [word, -id]) },
  {
    type: 'WordPiece',
    unk_token: '<unk>',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 9,
    vocab,
  },
  { type: 'WordLevel', unk_token: '<unk>', vocab },
];

function document(random: (n: number) => number): { [key: string]: Json } {
  const oneOf = (parts: Json[]): Json => structuredClone(parts[random(parts.length)]!);
  return {
    truncation: random(3)
      ? null
      : { max_length: 4, stride: 1, strategy: 'LongestFirst', direction: 'Left' },
    padding: random(3)
      ? null
      : {
          strategy: { Fixed: 9 },
          direction: 'Right',
          pad_to_multiple_of: 4,
          pad_id: 2,
          pad_type_id: 0,
          pad_token: '<unk>',
        },
    added_tokens: [
      special(0, '<s>'),
      special(1, '</s>', { lstrip: true }),
      special(12, 'ba', { normalized: true, special: false }),
    ],
    normalizer: oneOf(normalizers),
    pre_tokenizer: oneOf(preTokenizers),
    post_processor: oneOf(postProcessors),
    decoder: oneOf(decoders),
    model: oneOf(models),
  };
}

const deep = (depth: number): Json => {
  let value: Json = [];
  for (let i = 0; i < depth; i++)
    value = i % 2 ? [value] : { normalizers: value, type: 'Sequence' };
  return value;
};
const hostile = (random: (n: number) => number): Json => {
  const values: Json[] = [
    null,
    true,
    0,
    -1,
    0.5,
    3,
    1e7,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    1e308,
    '',
    'a',
    '▁',
    '🐋',
    'a'.repeat(3000),
    '((((a*)*)*)*)*b',
    '(?=a)*',
    [],
    {},
    [[]],
    deep(400),
    '<s>',
    'ab',
    '__proto__',
  ];
  return values[random(values.length)]!;
};

/** Every place of a document: an object or array, and a key of it. */
function placesOf(value: Json, found: [Json[] | { [key: string]: Json }, string][] = []) {
  if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      found.push([value as { [key: string]: Json }, key]);
      placesOf((value as { [key: string]: Json })[key]!, found);
    }
  }
  return found;
}

function mutate(json: Json, random: (n: number) => number): void {
  const places = placesOf(json);
  const [holder, key] = places[random(places.length)]!;
  const at = holder as { [key: string]: Json };
  const kind = random(6);
  if (kind === 0) delete at[key];
  else if (kind === 1 && Array.isArray(holder)) {
    for (let n = random(40); n > 0; n--) holder.push(structuredClone(at[key]!));
  } else if (kind === 2) {
    const [other, name] = places[random(places.length)]!;
    at[key] = structuredClone((other as { [key: string]: Json })[name]!);
  } else if (kind === 3 && typeof at[key] === 'string')
    at[key] = `${at[key]}`.repeat(1 + random(60));
  else at[key] = hostile(random);
}

const texts = ['', 'ab ba', '  ab\n1234 <s>ba</s> 🐋é\u0301 ﷺ', 'a'.repeat(120)];

/** Runs an action that may refuse by name, and do nothing else. */
function attempt<T>(what: string, act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw new Error(what, { cause: error });
    expect(error.message.length).toBeLessThan(2000);
    return undefined;
  }
}

test(`${runs} broken files either serve, within their limits, or are refused by name`, () => {
  let served = 0;
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const random = randomSource(seed);
    const json = document(random);
    for (let n = random(4) >> 1; n >= 0; n--) mutate(json, random);
    const what = `seed ${seed}`;
    const text = JSON.stringify(json);
    const bytes = new TextEncoder().encode(text);
    const tokenizer = attempt(what, () => Tokenizer.fromBytes(bytes));
    const parsed = attempt(what, () => Tokenizer.fromJSON(JSON.parse(text)));
    expect([what, tokenizer === undefined]).toEqual([what, parsed === undefined]);
    if (!tokenizer) continue;
    served++;
    for (const first of texts) {
      for (const second of [undefined, 'ba', texts[2], texts[3]]) {
        const encoding = attempt(what, () =>
          second === undefined ? tokenizer.encode(first) : tokenizer.encodePair(first, second),
        );
        if (!encoding) continue;
        const given = first.length + (second?.length ?? 0);
        expect(encoding.length, what).toBeLessThanOrEqual(Math.max(2 ** 20, 256 * 64 * given));
        expect(encoding.tokens.length, what).toBe(encoding.ids.length);
        attempt(what, () => tokenizer.decode(encoding.ids));
      }
    }
    const stream = tokenizer.decodeStream();
    for (const id of [4, 5, 0, 11, 99, 6]) attempt(what, () => stream.push(id));
    attempt(what, () => stream.end());
    attempt(what, () => JSON.stringify(tokenizer));
  }
  // Most files are refused; some must serve for the test to say anything.
  expect(served).toBeGreaterThan(runs / 10);
});

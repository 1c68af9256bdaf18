import { GgufError } from '../errors.js';
import { type Json, parts } from './json.js';

/** A pattern that a pre-tokenizer splits by before the bytes. */
const llama3 = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const tekken =
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const gpt4o =
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const bytes = { type: 'ByteLevel', use_regex: false };
const gpt2 = { type: 'ByteLevel', use_regex: true };
const split = (regex: string) => ({ type: 'Split', regex, behavior: 'Isolated' });

/**
 * The byte-level pre-tokenizers that llama.cpp has under a name, whether they go with `ignore_merges`, and their parts.
 *
 * @see https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp
 */
const named: readonly (readonly [name: string, ignoreMerges: boolean, parts: readonly object[]])[] =
  [
    ['gpt-2', false, [gpt2]],
    ['llama-bpe', true, [split(llama3('\\p{N}{1,3}')), bytes]],
    ['smaug-bpe', false, [split(llama3('\\p{N}{1,3}')), bytes]],
    ['qwen2', false, [split(llama3('\\p{N}')), bytes]],
    ['gpt-4o', false, [split(gpt4o), bytes]],
    ['tekken', true, [split(tekken), bytes]],
    ['bloom', false, [split(' ?[^(\\s|[.,!?…。，、।۔،])]+'), bytes]],
    ['starcoder', false, [{ type: 'Digits', individual: true }, gpt2]],
    [
      'falcon',
      false,
      [
        { type: 'Punctuation', behavior: 'Contiguous' },
        gpt2,
        { type: 'Digits', individual: false },
        split('[0-9][0-9][0-9]'),
      ],
    ],
  ];

/**
 * The name under which llama.cpp has a byte-level pre-tokenizer; a file names it, and holds no pattern.
 *
 * @throws GgufError for one that it lacks
 */
export function preTokenizerName(preTokenizer: Json | undefined, ignoreMerges: boolean): string {
  const given = parts(preTokenizer, 'pretokenizers').map(described);
  const key = JSON.stringify(given);
  for (const [name, ignores, expected] of named) {
    if (ignores === ignoreMerges && JSON.stringify(expected) === key) return name;
  }
  throw new GgufError(
    `tokenizer.json: llama.cpp has no pre-tokenizer ${key.slice(0, 300)}${ignoreMerges ? ' with ignore_merges' : ''}; it has those of ${named.map(([name]) => name).join(', ')}`,
  );
}

/** Other names of llama.cpp for the same parts. */
const aliases: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'lfm2'].map((name) => [
      name,
      'llama-bpe',
    ]),
  ),
  ...Object.fromEntries(
    [
      'phi-2',
      'mpt',
      'olmo',
      'jais',
      'trillion',
      'granite-docling',
      'gigachat',
      'exaone4',
      'modern-bert',
    ].map((name) => [name, 'gpt-2']),
  ),
  ...Object.fromEntries(
    ['stablelm2', 'deepseek-r1-qwen', 'hunyuan', 'megrez', 'solar-open', 'kormo'].map((name) => [
      name,
      'qwen2',
    ]),
  ),
  ...Object.fromEntries(
    ['smollm', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b'].map((name) => [
      name,
      'starcoder',
    ]),
  ),
  'gpt3-finnish': 'bloom',
  'poro-chat': 'bloom',
  dbrx: 'smaug-bpe',
  'chatglm-bpe': 'smaug-bpe',
  glm4: 'llama-bpe',
  llama4: 'gpt-4o',
};

/** A byte-level pre-tokenizer by llama.cpp's name. */
export interface NamedPreTokenizer {
  /** As `tokenizer.json` has it. */
  readonly preTokenizer: Json;
  /** Whether words of the vocabulary are not made of merges. */
  readonly ignoreMerges: boolean;
  /** Whether a beginning is put before a text, where the file does not say it. */
  readonly addsBos: boolean;
}

/**
 * The byte-level pre-tokenizer that llama.cpp has under a name.
 *
 * @param file in errors
 * @throws GgufError for a name that is not known
 */
export function preTokenizerNamed(name: string, file: string): NamedPreTokenizer {
  const own = aliases[name] ?? name;
  const found = named.find(([known]) => known === own);
  if (!found) {
    throw new GgufError(
      `${file}: 'tokenizer.ggml.pre' is '${name}'; expected one of ${[...named.map(([known]) => known), ...Object.keys(aliases)].join(', ')}`,
    );
  }
  const [, ignoreMerges, expected] = found;
  const pretokenizers = expected.map(written);
  return {
    preTokenizer:
      pretokenizers.length === 1 ? pretokenizers[0]! : { type: 'Sequence', pretokenizers },
    ignoreMerges,
    addsBos: own === 'llama-bpe' || own === 'tekken',
  };
}

/** A part of `named` as `tokenizer.json` has it. */
function written(part: object): Json {
  const { type, use_regex, regex, behavior, individual } = part as Json;
  switch (type) {
    case 'ByteLevel':
      return { type, add_prefix_space: false, trim_offsets: true, use_regex };
    case 'Split':
      return { type, pattern: { Regex: regex }, behavior, invert: false };
    case 'Digits':
      return { type, individual_digits: individual };
    default:
      return { type, behavior };
  }
}

/** What of a part decides where it splits. */
function described(part: Json): object {
  const { type, use_regex = true, add_prefix_space, behavior, invert, pattern } = part;
  switch (type) {
    case 'ByteLevel':
      return { type, use_regex, ...(add_prefix_space ? { add_prefix_space } : {}) };
    case 'Split': {
      const { Regex: regex, String: text } = (pattern ?? {}) as { Regex?: string; String?: string };
      return { type, ...(regex ? { regex } : { text }), behavior, ...(invert ? { invert } : {}) };
    }
    case 'Digits':
      return { type, individual: part.individual_digits ?? false };
    case 'Punctuation':
      return { type, behavior };
    default:
      return part;
  }
}

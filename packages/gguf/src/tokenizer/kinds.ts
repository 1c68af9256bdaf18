import { GgufError } from '../errors.js';
import type { GgufMetadata } from '../metadata.js';
import { type Json, parts } from './json.js';
import { preTokenizerName } from './pre-tokenizer.js';
import { type Tokens, tokensOf } from './vocabulary.js';

const listed = ({ texts, types }: Tokens): GgufMetadata => ({
  'tokenizer.ggml.tokens': ['string[]', texts],
  'tokenizer.ggml.token_type': ['i32[]', types],
});

/** BPE on bytes, as GPT-2 has it. */
export function byteLevelBpe(document: Json, vocabSize: number): GgufMetadata {
  const model = document.model as Json;
  for (const { type } of parts(document.normalizer as Json, 'normalizers')) {
    // llama.cpp leaves NFC out, which changes composed characters alone.
    if (type !== 'NFC') throw unknown('normalizer', type, 'NFC or none');
  }
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout']) {
    if (model[key]) throw unknown(`model.${key}`, model[key], 'none');
  }
  const pre = preTokenizerName(document.pre_tokenizer as Json, model.ignore_merges === true);
  const merges = mergesOf(model).map((pair) => pair.map(withoutBlanks).join(' '));
  return {
    'tokenizer.ggml.model': ['string', 'gpt2'],
    'tokenizer.ggml.pre': ['string', pre],
    ...listed(tokensOf(document, vocabSize, () => 0)),
    // llama.cpp asks for the key, also where nothing is merged.
    'tokenizer.ggml.merges': ['string[]', merges],
  };
}

/** BPE on characters, with bytes for what the vocabulary lacks, as LLaMA 2 has it: llama.cpp merges by score. */
export function sentencePieceBpe(document: Json, vocabSize: number): GgufMetadata {
  const scores = mergeScores(document.model as Json);
  const tokens = tokensOf(document, vocabSize, (token) => scores.get(token) ?? 0);
  return {
    'tokenizer.ggml.model': ['string', 'llama'],
    'tokenizer.ggml.pre': ['string', 'default'],
    ...listed(tokens),
    'tokenizer.ggml.scores': ['f32[]', tokens.scores],
    'tokenizer.ggml.add_space_prefix': ['bool', prependsSpace(document)],
  };
}

/** Unigram of SentencePiece. */
export function unigram(document: Json, vocabSize: number): GgufMetadata {
  const pieces = (document.model as Json).vocab as readonly [string, number][];
  const tokens = tokensOf(document, vocabSize, (_, id) => pieces[id]![1]);
  let charsmap: string | undefined;
  let removesBlanks = false;
  for (const part of parts(document.normalizer as Json, 'normalizers')) {
    const { Regex: regex } = (part.pattern ?? {}) as { Regex?: string };
    if (part.type === 'Precompiled') charsmap = part.precompiled_charsmap as string;
    else if (part.type === 'Strip' || (part.type === 'Replace' && regex === ' {2,}')) {
      removesBlanks = true;
    } else throw unknown('normalizer', part.type, 'Precompiled, Strip or Replace of blanks');
  }
  return {
    'tokenizer.ggml.model': ['string', 't5'],
    'tokenizer.ggml.pre': ['string', 'default'],
    ...listed(tokens),
    'tokenizer.ggml.scores': ['f32[]', tokens.scores],
    'tokenizer.ggml.add_space_prefix': ['bool', prependsSpace(document)],
    'tokenizer.ggml.remove_extra_whitespaces': ['bool', removesBlanks],
    ...(charsmap ? { 'tokenizer.ggml.precompiled_charsmap': ['u8[]', fromBase64(charsmap)] } : {}),
  };
}

/** Whether a blank is put before a text: by the normalizer of LLaMA 2, or by Metaspace. */
function prependsSpace(document: Json): boolean {
  const preTokenizers = parts(document.pre_tokenizer as Json, 'pretokenizers');
  for (const { type } of preTokenizers) {
    if (type !== 'Metaspace' && type !== 'WhitespaceSplit') {
      throw unknown('pre_tokenizer', type, 'Metaspace, WhitespaceSplit or none');
    }
  }
  const metaspace = preTokenizers.find(({ type }) => type === 'Metaspace');
  if (metaspace) {
    const { prepend_scheme: scheme, add_prefix_space: added = true } = metaspace;
    return scheme === undefined ? added === true : scheme !== 'never';
  }
  return parts(document.normalizer as Json, 'normalizers').some(({ type }) => type === 'Prepend');
}

/** Merges as pairs, of files of both forms. */
function mergesOf(model: Json): [string, string][] {
  return ((model.merges ?? []) as (string | [string, string])[]).map((merge) =>
    typeof merge === 'string' ? (merge.split(' ') as [string, string]) : merge,
  );
}

/** Where tokens have blanks, a merge of llama.cpp has U+0120 for them, as bytes have. */
const withoutBlanks = (token: string): string => token.replaceAll(' ', 'Ġ');

/**
 * The score of each token that a merge makes: minus the number of the first merge that does, as SentencePiece numbers them.
 *
 * @throws GgufError where the order of the merges is not that of the tokens that they make: llama.cpp would merge otherwise
 */
function mergeScores(model: Json): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  let last = '';
  for (const [left, right] of mergesOf(model)) {
    const made = left + right;
    if (made !== last && scores.has(made)) {
      throw new GgufError(
        `tokenizer.json: merges of '${made}' lie apart; llama.cpp merges by one score a token`,
      );
    }
    if (!scores.has(made)) scores.set(made, -scores.size);
    last = made;
  }
  return scores;
}

const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const unknown = (part: string, given: unknown, expected: string): GgufError =>
  new GgufError(
    `tokenizer.json: llama.cpp has no ${part} ${JSON.stringify(given)}; expected ${expected}`,
  );

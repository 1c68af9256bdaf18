import { GgufError } from '../errors.js';
import type { GgufMetadata } from '../metadata.js';
import type { GgufTokenizerFiles } from './files.js';
import type { Json } from './json.js';
import { byteLevelBpe, sentencePieceBpe, unigram } from './kinds.js';
import { specialTokens } from './special-tokens.js';

/**
 * The metadata of a tokenizer: its kind in llama.cpp, the name of its pre-tokenizer, tokens with kinds, scores and merges, special
 * tokens, and the chat template.
 *
 * @throws GgufError for a tokenizer that llama.cpp cannot run, naming the part
 */
export function tokenizerMetadata(files: GgufTokenizerFiles): GgufMetadata {
  const { tokenizer, chatTemplate } = files;
  const { type } = (tokenizer.model ?? {}) as Json;
  const kind = kindOf(tokenizer);
  if (!kind) {
    throw new GgufError(
      `tokenizer.json: llama.cpp cannot run a tokenizer of the kind '${type}'${type === 'BPE' ? ' on characters' : ''}; expected byte-level BPE, BPE of SentencePiece or Unigram`,
    );
  }
  return {
    ...kind(tokenizer, files.vocabSize),
    ...specialTokens(files),
    ...(chatTemplate === undefined
      ? {}
      : { 'tokenizer.chat_template': ['string', chatTemplate] as const }),
  };
}

function kindOf({ model, decoder }: Json) {
  const { type, byte_fallback } = (model ?? {}) as Json;
  if (type === 'Unigram') return unigram;
  if (type !== 'BPE') return undefined;
  if (byte_fallback) return sentencePieceBpe;
  return (decoder as Json | null)?.type === 'ByteLevel' ? byteLevelBpe : undefined;
}

export type { AddedToken } from './added-tokens.js';
export type { Bytes } from './as-bytes.js';
export {
  type ChatMessage,
  ChatTemplate,
  type ChatTemplateFiles,
  type ChatTemplateOptions,
  chatTemplateOf,
  type MarkedChat,
} from './chat-template.js';
export type { DecodeStream } from './decode-stream.js';
export { codePointOffsets, Encoding } from './encoding.js';
export { TokenizerError } from './errors.js';
export { fromSentencePiece, type SentencePieceOptions } from './formats/sentencepiece.js';
export { fromTiktoken } from './formats/tiktoken.js';
export { fromVocabAndMerges } from './formats/vocab-and-merges.js';
export { fromVocabTxt } from './formats/vocab-txt.js';
export type { Padding } from './padding.js';
export type { Texts } from './string-lists.js';
export {
  type DecodeOptions,
  type EncodeOptions,
  Tokenizer,
  type TokenizerJson,
} from './tokenizer.js';
export type { MergeOptions, TrainOptions } from './training/options.js';
export { type TrainByteLevelOptions, trainBpe, trainByteLevelBpe } from './training/train-bpe.js';
export { type TrainCharacterOptions, trainCharacter } from './training/train-character.js';
export { type TrainUnigramOptions, trainUnigram } from './training/train-unigram.js';
export {
  type TrainBertOptions,
  trainBertWordPiece,
  trainWordPiece,
} from './training/train-word-piece.js';
export type { Truncation } from './truncation.js';

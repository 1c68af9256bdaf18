export type { AddedToken } from './added-tokens.js';
export type { DecodeStream } from './decode-stream.js';
export { codePointOffsets, Encoding } from './encoding.js';
export { TokenizerError } from './errors.js';
export type { Padding } from './padding.js';
export {
  type DecodeOptions,
  type EncodeOptions,
  Tokenizer,
  type TokenizerJson,
} from './tokenizer.js';
export { type Texts, type TrainBpeOptions, trainByteLevelBpe, trainCharacter } from './train.js';
export type { Truncation } from './truncation.js';

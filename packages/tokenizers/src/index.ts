export { TokenizerError } from './errors.js';
export type { TokenizerJson } from './json.js';
export { type Encoding, Tokenizer } from './tokenizer.js';
export { type Texts, type TrainBpeOptions, trainByteLevelBpe, trainCharacter } from './train.js';

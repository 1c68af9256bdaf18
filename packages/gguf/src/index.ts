export { GgufError } from './errors.js';
export type { GgufMetadata, GgufValue } from './metadata.js';
export { quantize } from './quantize/quantize.js';
export {
  type BlockForm,
  type BlockParts,
  type BlockType,
  blockForms,
  splitBlocks,
} from './read/blocks.js';
export type { GgufReadValue } from './read/cursor.js';
export { dequantize } from './read/dequantize.js';
export { type GgufHeader, type GgufTensorInfo, readGgufHeader } from './read/header.js';
export type { GgufTokenizerFiles } from './tokenizer/files.js';
export { tokenizerMetadata } from './tokenizer/metadata.js';
export { type NamedPreTokenizer, preTokenizerNamed } from './tokenizer/pre-tokenizer.js';
export { type GgufVocabulary, ggufVocabulary } from './tokenizer/read.js';
export { tokenTypes } from './tokenizer/vocabulary.js';
export {
  fileTypes,
  type GgmlLayout,
  type GgmlType,
  ggmlTypes,
  type WrittenType,
  writtenTypes,
} from './types.js';
export { type GgufTensor, streamGguf } from './write.js';

export { GgufError } from './errors.js';
export type { GgufMetadata, GgufValue } from './metadata.js';
export { quantize } from './quantize/quantize.js';
export type { GgufTokenizerFiles } from './tokenizer/files.js';
export { tokenizerMetadata } from './tokenizer/metadata.js';
export { fileTypes, type GgmlType, ggmlTypes } from './types.js';
export { type GgufTensor, streamGguf } from './write.js';

export { Decoder, type DecoderParts } from './decoder.js';
export { type BlockParts, PreNormBlock } from './pre-norm-block.js';

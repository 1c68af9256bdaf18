export { Decoder, type DecoderParts } from './decoder.js';
export { NormedStreamBlock } from './normed-stream-block.js';
export { ParallelBlock, type ParallelBlockParts } from './parallel-block.js';
export { type BlockParts, PreNormBlock } from './pre-norm-block.js';

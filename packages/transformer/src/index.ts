export {
  type CrossBlock,
  type CrossBlockParts,
  type CrossMixer,
  PostNormCrossBlock,
  PreNormCrossBlock,
} from './cross-block.js';
export { CrossDecoder, type CrossDecoderParts } from './cross-decoder.js';
export { Decoder, type DecoderParts } from './decoder.js';
export { Encoder, type EncoderParts } from './encoder.js';
export { NormedStreamBlock } from './normed-stream-block.js';
export { ParallelBlock, type ParallelBlockParts } from './parallel-block.js';
export { PostNormBlock } from './post-norm-block.js';
export { type BlockParts, PreNormBlock } from './pre-norm-block.js';

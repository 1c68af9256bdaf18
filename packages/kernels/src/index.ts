export { adamwState, registerAdamW } from './adamw/index.js';
export type { AdamWParameter, AdamWState, AdamWStep, Moments } from './adamw/state.js';
export { chunkedCrossEntropy, registerChunkedCrossEntropy } from './chunked-cross-entropy/index.js';
export {
  type CrossEntropyOptions,
  registerCrossEntropy,
  sparseCrossEntropy,
} from './cross-entropy/index.js';
export { dropout, registerDropout } from './dropout/index.js';
export { gatherRows, registerGatherRows } from './embedding/index.js';
export { gelu, geluTanh } from './gelu/index.js';
export { type Clipping, globalNorm, registerGlobalNorm } from './global-norm/index.js';
export { addLayerNorm, layerNorm, registerLayerNorm, type SumAndNorm } from './layer-norm/index.js';
export { layerNormReference } from './layer-norm/reference.js';
export { linear, type WeightLayout } from './linear/index.js';
export { registerKernels } from './register.js';
export { addRmsNorm, registerRmsNorm, rmsNorm } from './rms-norm/index.js';
export { rmsNormReference } from './rms-norm/reference.js';
export { registerSampling, sampleTokens } from './sampling/index.js';
export { checkedSampling, type SamplingOptions } from './sampling/options.js';
export { type Candidate, samplingCandidates } from './sampling/reference.js';
export { registerSoftmax, softmax } from './softmax/index.js';

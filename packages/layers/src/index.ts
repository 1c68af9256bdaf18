export { activations } from '@headwise/kernels/internal';
export { AdaptiveEmbedding, type AdaptiveEmbeddingOptions, AdaptiveSoftmax } from './adaptive.js';
export { Dropout } from './dropout.js';
export { Embedding, type EmbeddingOptions } from './embedding.js';
export { expertBalance, withBalance } from './expert-balance.js';
export { Experts, type ExpertsOptions } from './experts.js';
export {
  type Activation,
  addTo,
  FeedForward,
  type FeedForwardOptions,
  GatedFeedForward,
} from './feed-forward.js';
export { Linear, type LinearOptions } from './linear.js';
export {
  addAndNorm,
  besideNorm,
  LayerNorm,
  type LayerNormOptions,
  type NormOptions,
  RMSNorm,
} from './norm.js';
export {
  checkGroup,
  type PackingOptions,
  type WeightDtype,
  weightDtypes,
  weightPacking,
} from './packed.js';

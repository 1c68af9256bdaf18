export { type Mask, masks, type ScoreMod, scoreMod, scoreTable } from '@headwise/kernels';
export { type AttendOptions, attend } from './attend.js';
export { CrossAttention } from './cross.js';
export type { HeadOptions, HeadSizes } from './heads.js';
export type { AttentionLayerOptions } from './layer-options.js';
export { softCap } from './mods/soft-cap.js';
export { temperature } from './mods/temperature.js';
export { MultiHeadAttention, type MultiHeadAttentionOptions } from './multi-head.js';
export {
  type Biases,
  FusedProjection,
  type Projected,
  type Projection,
  type ProjectionKind,
  type ProjectionOptions,
  SeparateProjection,
} from './projections.js';
export { additive, plainAdditive } from './scores/additive.js';
export { dotProduct } from './scores/dot-product.js';
export { general } from './scores/general.js';
export { scaledDotProduct } from './scores/scaled-dot-product.js';
export type { Score, ScoreKind } from './scores/score.js';

export { type Mask, masks, type ScoreMod, scoreMod, scoreTable } from '@headwise/kernels';
export { type AttendOptions, attend } from './attend.js';
export { CrossAttention, type CrossAttentionOptions } from './cross.js';
export type { HeadOptions, HeadSizes } from './heads.js';
export type { AttentionLayerOptions } from './layer-options.js';
export { softCapMod } from './mods/soft-cap.js';
export { temperatureMod } from './mods/temperature.js';
export { MultiHeadAttention, type MultiHeadAttentionOptions } from './multi-head.js';
export {
  type Biases,
  type CrossProjection,
  type CrossProjectionKind,
  FusedProjection,
  KeyValueProjection,
  type Projected,
  type Projection,
  type ProjectionKind,
  type ProjectionOptions,
  SeparateProjection,
} from './projections.js';
export { additiveScore, plainAdditiveScore } from './scores/additive.js';
export { dotProductScore } from './scores/dot-product.js';
export { generalScore } from './scores/general.js';
export { scaledDotProductScore } from './scores/scaled-dot-product.js';
export type { Score, ScoreKind } from './scores/score.js';

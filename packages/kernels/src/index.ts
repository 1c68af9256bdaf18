import * as masks from './attention/masks/index.js';

export { additiveAttention } from './additive-attention/index.js';
export type { AdditiveActivation } from './additive-attention/reference.js';
export {
  Condition,
  FloatExpression,
  IntExpression,
  select,
} from './attention/expression/expression.js';
export { FloatTable, IntTable, scoreTable } from './attention/expression/table.js';
export { Heads, type HeadsPlace, type HeadsShape } from './attention/heads.js';
export {
  type AttentionAndLogSumExp,
  type AttentionOptions,
  attention,
  attentionWithLogSumExp,
} from './attention/index.js';
export type { Mask, MaskInput } from './attention/masks/mask.js';
export { type ScoreFunction, type ScoreMod, scoreMod } from './attention/mods.js';
export type { Choices } from './attention/tilings.js';
export type { AttentionShape, TuneOptions } from './attention/tuner.js';
export { chunkedCrossEntropy } from './chunked-cross-entropy/index.js';
export type { ChunkedCrossEntropyOptions } from './chunked-cross-entropy/options.js';
export { sparseCrossEntropy } from './cross-entropy/index.js';
export type { CrossEntropyOptions } from './cross-entropy/options.js';
export { compilePipelines } from './dispatch/pipelines.js';
export { dropout } from './dropout/index.js';
export { gatherRows } from './embedding/index.js';
export { expertLinear, sumOfExperts } from './experts/index.js';
export { type Routing, routeTokens } from './experts/routing.js';
export { gatedLinear, type Projection } from './gated-linear/index.js';
export { gelu, geluTanh } from './gelu/index.js';
export { addLayerNorm, layerNorm, type SumAndNorm } from './layer-norm/index.js';
export type { LinearActivation } from './linear/activation.js';
export { linear } from './linear/index.js';
export { packedLinear } from './packed-linear/index.js';
export {
  type PackedFormat,
  PackedWeight,
  packWeight,
  type WeightFormat,
} from './packed-linear/pack.js';
export {
  overwriteTensor,
  type Recording,
  type RecordOptions,
  recordStep,
} from './recording/index.js';
export { addRmsNorm, rmsNorm } from './rms-norm/index.js';
export { rotary } from './rotary/index.js';
export type { RotaryLayout, RotaryTables } from './rotary/tables.js';
export { type SamplingTokens, sampleTokens } from './sampling/index.js';
export type { SamplingOptions } from './sampling/options.js';
export { softmax } from './softmax/index.js';
export { fastestBackend, type ProbeResult } from './start/fastest.js';
export { type StartOptions, type StartReport, start } from './start/start.js';
/** Masks: which keys each query may see. */
export { masks };

export { adamwState } from './adamw/index.js';
export type { AdamWParameter, AdamWState, AdamWStep, Moments } from './adamw/state.js';
export {
  additiveAttention,
  additiveScores,
  additiveTerm,
} from './additive-attention/index.js';
export {
  type AdditiveActivation,
  additiveScoresReference,
} from './additive-attention/reference.js';
export { checkScoring } from './attention/check-scoring.js';
export type { WeightDropout } from './attention/dropout.js';
export {
  Condition,
  FloatExpression,
  IntExpression,
  select,
} from './attention/expression/expression.js';
export { FloatTable, IntTable, table } from './attention/expression/table.js';
export {
  type AttentionAndLogSumExp,
  type AttentionOptions,
  attention,
  attentionWithLogSumExp,
} from './attention/index.js';
export { attentionMap, type MapOptions } from './attention/map.js';
export { dense } from './attention/masks/dense.js';
export { and, type Mask, type MaskInput, none, or, visible } from './attention/masks/mask.js';
export { causal, prefix, slidingWindow } from './attention/masks/order.js';
export { documents, padding } from './attention/masks/tokens.js';
export { type ScoreFunction, type ScoreMod, scoreMod } from './attention/mods.js';
export { attentionReference, type ReferenceOptions } from './attention/reference.js';
export type { Choices } from './attention/tilings.js';
export type { AttentionShape, TuneOptions } from './attention/tuner.js';
export { chunkedCrossEntropy } from './chunked-cross-entropy/index.js';
export {
  type CrossEntropyOptions,
  sparseCrossEntropy,
} from './cross-entropy/index.js';
export { attendStep, type StepCache, type StepScoring, widestStepHead } from './decode/attend.js';
export { type EmbedOptions, embedToken } from './decode/embed.js';
export { type DecodeLinearOptions, decodeGatedLinear, decodeLinear } from './decode/linear.js';
export type { Norm } from './decode/normalized.js';
export { canStep, type StepState, stateHeader } from './decode/state.js';
export { type DecodeWeight, foldNorm, sizesOf } from './decode/weight.js';
export {
  type AppendOptions,
  appendKeysValues,
  appendsInPlace,
  type KeysValues,
} from './decode-attention/append.js';
export { unpackHalves } from './decode-attention/halves.js';
export { type DecodeAttentionOptions, decodeAttention } from './decode-attention/index.js';
export { type Ring, tokenIn } from './decode-attention/ring.js';
export { knownValues } from './dispatch/known.js';
export { compilePipelines } from './dispatch/pipelines.js';
export { dropout } from './dropout/index.js';
export { gatherRows } from './embedding/index.js';
export { gatedLinear, type Projection } from './gated-linear/index.js';
export { gelu, geluTanh } from './gelu/index.js';
export { type Clipping, globalNorm } from './global-norm/index.js';
export { checkIds } from './ids/index.js';
export { checkIdValues, type IdSpace, vocabularyOf } from './ids/space.js';
export { addLayerNorm, layerNorm, type SumAndNorm } from './layer-norm/index.js';
export { layerNormReference } from './layer-norm/reference.js';
export { activations, type LinearActivation } from './linear/activation.js';
export { linear } from './linear/index.js';
export { packedLinear } from './packed-linear/index.js';
export {
  PackedWeight,
  packWeight,
  type WeightFormat,
  WeightPacker,
  weightFormats,
} from './packed-linear/pack.js';
export { unpackWeight } from './packed-linear/unpack.js';
export { overwrite, type Recording, record } from './recording/index.js';
export { addRmsNorm, rmsNorm } from './rms-norm/index.js';
export { rmsNormReference } from './rms-norm/reference.js';
export { type RotaryLayout, type RotaryTables, rotary } from './rotary/index.js';
export { rotaryReference } from './rotary/reference.js';
export { type RowAttentionOptions, rowAttention } from './row-attention/index.js';
export type { Rows, RowTerm } from './row-attention/term.js';
export { markTokens, type SamplingTokens, sampleTokens } from './sampling/index.js';
export { checkedSampling, penalises, type SamplingOptions } from './sampling/options.js';
export { type Candidate, samplingCandidates } from './sampling/reference.js';
export { checkDrawn } from './sampling/scores.js';
export { type StepDraw, sampleStep } from './sampling/webgpu.js';
export { softmax } from './softmax/index.js';
export { fastestBackend, type ProbeResult } from './start/fastest.js';
export { type StartOptions, type StartReport, start } from './start/start.js';

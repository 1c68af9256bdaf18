// For other packages of Headwise; may change in any version.
export { adamwState } from './adamw/index.js';
export type { AdamWParameter, AdamWState, AdamWStep, Moments } from './adamw/state.js';
export { additiveScores, additiveTerm } from './additive-attention/index.js';
export { additiveScoresReference } from './additive-attention/reference.js';
export { checkScoring } from './attention/check-scoring.js';
export type { WeightDropout } from './attention/dropout.js';
export { attentionMap, type MapOptions } from './attention/map.js';
export { attentionReference, type ReferenceOptions } from './attention/reference.js';
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
export { type Clipping, globalNorm } from './global-norm/index.js';
export { checkIds } from './ids/index.js';
export { checkIdValues, type IdSpace, vocabularyOf } from './ids/space.js';
export { layerNormReference } from './layer-norm/reference.js';
export { activations } from './linear/activation.js';
export { WeightPacker, weightFormats } from './packed-linear/pack.js';
export { unpackWeight } from './packed-linear/unpack.js';
export { rmsNormReference } from './rms-norm/reference.js';
export { rotaryReference } from './rotary/reference.js';
export { type RowAttentionOptions, rowAttention } from './row-attention/index.js';
export type { Rows, RowTerm } from './row-attention/term.js';
export { markTokens } from './sampling/index.js';
export { checkedSampling, penalises } from './sampling/options.js';
export { type Candidate, samplingCandidates } from './sampling/reference.js';
export { checkDrawn } from './sampling/scores.js';
export { type StepDraw, sampleStep } from './sampling/webgpu.js';

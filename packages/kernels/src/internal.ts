// For other packages of Headwise; may change in any version.
export { addRows } from './add-rows/index.js';
export { additiveTerm } from './additive-attention/index.js';
export { checkScoring } from './attention/check-scoring.js';
export { row } from './attention/expression/expression.js';
export { attentionReference } from './attention/reference.js';
export { type BestScores, bestScores } from './best-scores/index.js';
export {
  headMatrix,
  headScores,
  type OwnHeadMatrix,
  rowsAtATime,
} from './chunked-cross-entropy/chunks.js';
export { headLoss } from './chunked-cross-entropy/index.js';
export { attendStep, type StepScoring } from './decode/attend.js';
export { widestStepHead } from './decode/attend-program.js';
export { embedToken } from './decode/embed.js';
export { type DecodeExperts, decodeExperts } from './decode/experts.js';
export { type HeadNorms, normalizeHeads } from './decode/head-norm.js';
export { decodeGatedLinear, decodeLinear } from './decode/linear.js';
export type { Norm } from './decode/normalized.js';
export { canStep, type StepState, stateHeader } from './decode/state.js';
export { type DecodeWeight, sizesOf } from './decode/weight.js';
export { appendKeysValues, appendsInPlace, type KeysValues } from './decode-attention/append.js';
export { unpackHalves } from './decode-attention/halves.js';
export { decodeAttention, decodeAttentionOfHeads } from './decode-attention/index.js';
export { type Ring, tokenIn } from './decode-attention/ring.js';
export { knownValues } from './dispatch/known.js';
export { type WeightLimits, weightLimits } from './dispatch/limits.js';
export { stackScalars } from './dispatch/scalars.js';
export { sendToDevice } from './dispatch/transfer.js';
export { feedForward } from './feed-forward/index.js';
export { type Clipping, globalNorm } from './global-norm/index.js';
export { checkPrecision } from './halves/index.js';
export { canWidenHalves, type HalfType, widenHalves } from './halves/widen.js';
export { checkIds } from './ids/index.js';
export { checkIdValues, type IdSpace, vocabularyOf } from './ids/space.js';
export { besideLayerNorm } from './layer-norm/index.js';
export { layerNormReference } from './layer-norm/reference.js';
export { activations } from './linear/activation.js';
export { fastestRegisterLoop, registerSeed, runRegisterLoop } from './matrix-product/ceiling.js';
export { fewRows } from './matrix-product/few-rows.js';
export { AdafactorState } from './optimizer/adafactor.js';
export { adamwRule } from './optimizer/adamw.js';
export { averageRule } from './optimizer/average.js';
export { optimizerState } from './optimizer/index.js';
export { joinedState } from './optimizer/joined.js';
export { lionRule } from './optimizer/lion.js';
export type { MuonAdjustment, MuonNumbers, MuonParameter } from './optimizer/muon/blocks.js';
export { muonState } from './optimizer/muon/index.js';
export type { Step } from './optimizer/rule.js';
export { plainSgdRule, sgdRule } from './optimizer/sgd.js';
export type { OptimizerParameter, OptimizerState, Slot } from './optimizer/state.js';
export { type LevelsForm, LevelsPacker } from './packed-linear/levels.js';
export { onDevice } from './packed-linear/on-device.js';
export {
  formatParts,
  packedShapes,
  WeightPacker,
  weightFormats,
  zeroWeight,
} from './packed-linear/pack.js';
export { weightPacker } from './packed-linear/pack-on-device.js';
export { unpackWeight } from './packed-linear/unpack.js';
export { besideRmsNorm } from './rms-norm/index.js';
export { type QueriesKeysValues, turnHeads } from './rotary/index.js';
export { type LayerAttentionOptions, layerAttention } from './row-attention/layer.js';
export type { RowTerm } from './row-attention/term.js';
export { biasRow, markTokens, type SamplingTokens, sampleRows } from './sampling/index.js';
export { type CheckedSampling, checkedSampling, penalises } from './sampling/options.js';
export { maskWords, type RowTokens } from './sampling/penalties.js';
export { type Candidate, samplingCandidates } from './sampling/reference.js';
export { scoresToDraw } from './sampling/scored.js';
export { checkDrawn, checkScores } from './sampling/scores.js';
export { sampleStep } from './sampling/webgpu.js';
export { softCap } from './soft-cap/index.js';
export { planned } from './start/planned.js';
export { registerWasmKernels } from './wasm/register.js';

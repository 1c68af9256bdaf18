export { Adafactor, type AdafactorOptions } from './adafactor.js';
export { AdamW, type AdamWOptions } from './adamw.js';
export {
  causalLanguageModel,
  languageModelLoss,
  type TokenBatch,
} from './causal-language-model.js';
export {
  type LabelledBatch,
  sequenceClassification,
  tokenClassification,
} from './classification.js';
export { clipping } from './clip.js';
export {
  type ContrastBatch,
  type ContrastOptions,
  contrastivePairs,
  contrastiveViews,
  type Embed,
  type PairContrastOptions,
} from './contrastive.js';
export { ignoredTarget, type LossOptions, meanCrossEntropy } from './cross-entropy.js';
export { directPreference } from './direct-preference.js';
export {
  type DistillationOptions,
  distillation,
  type TaughtBatch,
  taught,
} from './distillation.js';
export { DivergedError, type Divergence } from './diverged.js';
export {
  EarlyStopping,
  type EarlyStoppingOptions,
  type StoppingState,
} from './early-stopping.js';
export { Ema, type EmaOptions } from './ema.js';
export type { EncoderBatch } from './encoder-inputs.js';
export { bitsPerByte, type Evaluation, evaluate } from './evaluate.js';
export { freeze, type PathChoice } from './freeze.js';
export type { OptimizerClass } from './fused.js';
export { lossAndGradients } from './gradients.js';
export {
  type GroupRelativePolicyOptions,
  groupAdvantages,
  groupRelativePolicy,
  type RewardedBatch,
} from './group-relative-policy.js';
export { identityPreference } from './identity-preference.js';
export {
  type JudgedBatch,
  type KahnemanTverskyOptions,
  kahnemanTversky,
} from './kahneman-tversky.js';
export type { BatchState, KeptBatches } from './kept-batches.js';
export { Lion, type LionOptions } from './lion.js';
export {
  type Continuation,
  referenceLogProbabilities,
  sequenceLogProbabilities,
  tokenLogProbabilities,
} from './log-probabilities.js';
export { LossScale, type LossScaleOptions, type LossScaleState } from './loss-scale.js';
export { type MaskedTokenBatch, maskedLanguageModel } from './masked-language-model.js';
export { Muon, type MuonAdamWOptions, type MuonOptions } from './muon.js';
export type {
  BatchArray,
  BatchArrays,
  BatchTensors,
  ExampleBatch,
  LossTerms,
  Objective,
  TensorLoss,
} from './objective.js';
export type {
  ByPath,
  ByPathOptions,
  Optimizer,
  SavedOptimizer,
  StateTensor,
} from './optimizer.js';
export {
  type MemoryPlan,
  type PlanOptions,
  planMemory,
  type StepPhase,
} from './plan-memory.js';
export {
  MemoryPlanError,
  type PlannedRemedy,
  type PlannedRun,
  type PlanWithinOptions,
  planText,
  planWithin,
  type RemedyWords,
} from './plan-within.js';
export type { PlannedBatch, PlannedObjective } from './planned-objective.js';
export type { PreferenceBatch } from './preferences.js';
export { type AnswerBatch, questionAnswering } from './question-answering.js';
export { regression, type ValuedBatch } from './regression.js';
export {
  type CurvedShareOptions,
  exponentialShare,
  inverseSigmoidShare,
  type LinearShareOptions,
  linearShare,
  type SampledShare,
} from './sampled-share.js';
export {
  adafactorRate,
  constantRate,
  type RateDecay,
  type Schedule,
  type WarmupCosineOptions,
  type WarmupDecayOptions,
  type WarmupInverseSquareRootOptions,
  type WarmupOptions,
  type WarmupStableDecayOptions,
  warmupConstant,
  warmupCosine,
  warmupInverseSquareRoot,
  warmupLinear,
  warmupStableDecay,
} from './schedule.js';
export { type MaskedPairBatch, sentencePairPretraining } from './sentence-pair-pretraining.js';
export { encoderDecoderLoss, type PairBatch, sequenceToSequence } from './sequence-to-sequence.js';
export { Sgd, type SgdOptions } from './sgd.js';
export {
  type Progress,
  restoreTrainer,
  restoreWeights,
  type Trained,
  trainerState,
} from './state.js';
export { batchLoss } from './tensor-loss.js';
export { type TrainOptions, type TrainStep, train } from './train.js';
export { type TripletBatch, triplets } from './triplets.js';

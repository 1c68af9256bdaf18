export { AdamW, type AdamWOptions, type Moment, type OptimizerState } from './adamw.js';
export { clipping } from './clip.js';
export { encoderDecoderLoss, type PairBatch } from './encoder-decoder-loss.js';
export { bitsPerByte, type Evaluation, evaluate } from './evaluate.js';
export {
  ignoredTarget,
  type LossOptions,
  languageModelLoss,
  meanCrossEntropy,
  type TokenBatch,
} from './loss.js';
export { constantRate, type Schedule, type WarmupCosineOptions, warmupCosine } from './schedule.js';
export { type Progress, restoreTrainer, type Trained, trainerState } from './state.js';
export {
  DivergedError,
  lossAndGradients,
  type TrainOptions,
  type TrainStep,
  train,
} from './train.js';

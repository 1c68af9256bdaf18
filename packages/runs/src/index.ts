export { checkSchedule, isConfigured, isSharded } from './check-run-config.js';
export { type DataSources, predictedBytes, prepareData } from './data.js';
export { DeviceLosses } from './device-losses.js';
export { classifierConfig, classNames } from './finetune/classes.js';
export {
  type AdapterPart,
  type ExamplesPart,
  type FinetuneConfig,
  type FinetuneMethod,
  type FinetuneSettings,
  type FinetuneTraining,
  finetuneMethods,
  parseFinetuneConfig,
} from './finetune/config.js';
export {
  type EncodedExamples,
  encodeExamples,
  type FinetuneSources,
} from './finetune/encode.js';
export type { ExampleSize, Lesson, Score, Taught, TrainableEmbedding } from './finetune/lesson.js';
export { methodFormats } from './finetune/methods.js';
export { loraOptions, planFinetune } from './finetune/plan.js';
export { type FinetuneData, prepareFinetune } from './finetune/prepare.js';
export {
  type EncodedShards,
  encodeShards,
  prepareShards,
  shardMethods,
} from './finetune/shards.js';
export { finetuneWork } from './finetune/work.js';
export { textHash } from './hash.js';
export type {
  HistoryEntry,
  Sample,
  SampleEntry,
  StepEntry,
  ValidationEntry,
} from './history.js';
export { type Masking, maskings } from './masking.js';
export { checkRunFits, knownVocabulary, modelConfig, newModel, newOptimizer } from './model.js';
export { newWork } from './new-work.js';
export { type Packing, packings } from './packed-documents.js';
export { parseRunConfig } from './parse-run-config.js';
export { hiddenOf, type ModelParts, partsFamily } from './parts.js';
export { planRun } from './plan-run.js';
export {
  type Reward,
  type RewardedPrompt,
  type RolloutOptions,
  Rollouts,
  type WrittenCompletion,
} from './rollouts/rollouts.js';
export type {
  ConfiguredModel,
  RunConfig,
  SamplesPart,
  ShardData,
  TaskData,
  TextData,
  TokenizerPart,
  TrainingPart,
} from './run-config.js';
export type { RunBatch, RunData, SamplePrompt } from './run-data.js';
export {
  checkCorpus,
  type RunSnapshot,
  readSnapshot,
  runFileNames,
  snapshotFiles,
} from './run-files.js';
export { type RunObjective, runObjectives } from './run-objectives.js';
export type { ScheduledSampling } from './scheduled-sampling.js';
export { classProbabilities } from './scores/class-probabilities.js';
export { perplexities } from './scores/perplexities.js';
export { Session, type SessionParts, type StopOptions } from './session.js';
export { freeWork, type Pace, type SessionWork } from './session-work.js';
export type { OpenShards } from './shard-data.js';
export type { Checkpoint, RunStorage, SavedState } from './storage.js';
export {
  type ListAxis,
  overlap,
  parseAxes,
  parseAxis,
  type RangeAxis,
  type SweepAxis,
} from './sweep/axes.js';
export {
  isSweepFile,
  measureOf,
  measuresOf,
  parseSweepFile,
  ranked,
  type SweepFile,
  type SweepMeasure,
  type TrialMeasures,
  type TrialResult,
  thinned,
} from './sweep/sweep-file.js';
export {
  type SweepSearch,
  type SweepTrial,
  settingsText,
  sweepTrials,
  type TrialSettings,
  valueText,
} from './sweep/trials.js';
export {
  alphabets,
  type Problem,
  problemAt,
  problemLength,
  type TaskName,
  taskNames,
} from './tasks.js';

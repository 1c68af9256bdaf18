export { readCorpus } from './node/corpus.js';
export type { ModelStepOptions } from './node/document-steps/makers.js';
export { modelSteps } from './node/document-steps/model-steps.js';
export {
  type FinetuneInputs,
  finetuneFiles,
  finetuneFolder,
  finetuneIdentity,
  weightsHash,
} from './node/finetune-files.js';
export { openRunShards } from './node/open-shards.js';
export { readRunFile, readRunJson } from './node/read-run-file.js';
export {
  type InspectOptions,
  RunFolder,
  type RunInputs,
} from './node/run-folder.js';
export { readRunHistory } from './node/run-history.js';
export type { RunIdentity } from './node/run-identity.js';
export { type TensorBoardOptions, withTensorBoard } from './node/tensorboard.js';
export { torchFiles } from './node/torch/export.js';
export { type ImportedRun, importedRun } from './node/torch/import.js';

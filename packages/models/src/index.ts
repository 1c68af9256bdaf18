export { type BloomConfig, bloom } from './bloom.js';
export { browserCache, type CheckpointCache } from './checkpoint/cache.js';
export type { CheckpointFiles, CheckpointPlace } from './checkpoint/files.js';
export type { LoadProgress } from './checkpoint/fill.js';
export { type LoadedModel, type LoadOptions, loadModel } from './checkpoint/load.js';
export { checkpointSource, checkpointTensors } from './checkpoint/tensors.js';
export type { FetchFile, WebOptions } from './checkpoint/web.js';
export { checkDivides, parseWith } from './config.js';
export {
  type BlockKind,
  type ClassificationHead,
  type EmbeddingPart,
  type FeedForwardPart,
  type HeadPart,
  type HeadsPart,
  type ModelConfiguration,
  type NormPart,
  type PositionPart,
  parseConfiguration,
  type RotaryPart,
  type ScorePart,
} from './configuration.js';
export { type FalconConfig, falcon } from './falcon.js';
export { type KeyPlace, type KeyTable, type ModelFamily, placeOf } from './family.js';
export { type GPT2Config, gpt2 } from './gpt2.js';
export { type LlamaConfig, llama, mistral, qwen2 } from './llama.js';
export { AdaptedModel } from './lora/adapted.js';
export { Lora, type LoraOptions } from './lora/lora.js';
export { loraFromPeft, type PeftConfig, peftConfig, peftTensors } from './lora/peft.js';
export {
  type CreateOptions,
  changedPreset,
  createModel,
  type DecoderFamily,
  type DecoderSettings,
  families,
  familyOf,
  languageModel,
  type Model,
  modelFromPreset,
  type PresetChange,
} from './model.js';
export { quantizeModel } from './quantize.js';
export type { RopeSettings } from './rope.js';
export { groupedHeads, type RowOrder } from './row-order.js';

export { EncoderDecoder, type EncoderDecoderParts } from './build/encoder-decoder.js';
export {
  meanPooled,
  sentenceEmbeddings,
} from './build/heads.js';
export type {
  AdaptiveHead,
  BlockKind,
  ClassificationHead,
  DecoderConfiguration,
  DecoderSizes,
  EmbeddingPart,
  FeedForwardPart,
  HeadPart,
  HeadsPart,
  InitPart,
  LanguageModelHead,
  LearnedPart,
  MaskedLanguageModelHead,
  ModelConfiguration,
  NormPart,
  PositionPart,
  RotaryPart,
  ScorePart,
  TransformerXLPart,
} from './build/model-configuration.js';
export {
  type BlockContext,
  type OwnPart,
  type OwnSlot,
  type PartContext,
  type PartFactory,
  registerPart,
} from './build/own-parts.js';
export { parseConfiguration } from './build/parse-configuration.js';
export type { Written } from './build/written.js';
export { changedPreset, type PresetChange } from './change.js';
export { browserCache, type CheckpointCache } from './checkpoint/cache.js';
export { describeCheckpoint, type ParameterDescription } from './checkpoint/describe.js';
export type { CheckpointFiles, CheckpointPlace } from './checkpoint/files.js';
export type { LoadProgress } from './checkpoint/fill.js';
export { type LoadedModel, type LoadOptions, loadModel } from './checkpoint/load.js';
export { checkpointSource, checkpointTensors } from './checkpoint/tensors.js';
export type { FetchFile, WebOptions } from './checkpoint/web.js';
export { type BartConfig, type BartSizes, bart } from './families/bart.js';
export { type BertArchitecture, type BertConfig, type BertSizes, bert } from './families/bert.js';
export { type BloomConfig, bloom } from './families/bloom.js';
export { type FalconConfig, falcon } from './families/falcon.js';
export { type GPT2Config, gpt2 } from './families/gpt2.js';
export { type LlamaConfig, llama, mistral, qwen2 } from './families/llama.js';
export {
  camembert,
  type RobertaArchitecture,
  type RobertaConfig,
  roberta,
  xlmRoberta,
} from './families/roberta.js';
export type { ActivationName } from './families/shared/activations.js';
export type { RopeSettings } from './families/shared/rope.js';
export type { Settings } from './families/shared/settings.js';
export { type T5Config, t5 } from './families/t5.js';
export { type TransformerConfig, transformer } from './families/transformer.js';
export { type TransformerXLConfig, transformerXL } from './families/transformer-xl.js';
export { families, familyOf } from './families.js';
export type {
  Held,
  KeyCopy,
  KeyTable,
  ModelFamily,
} from './family.js';
export { AdaptedModel } from './lora/adapted.js';
export { Lora, type LoraOptions } from './lora/lora.js';
export { loraFromPeft, peftConfig, peftTensors } from './lora/peft.js';
export { type PeftConfig, parsePeftConfig } from './lora/peft-config.js';
export {
  type CreateOptions,
  createModel,
  type DecoderFamily,
  type DecoderSettings,
  type EncoderDecoderSettings,
  type EncoderSettings,
  encoderDecoderModel,
  encoderModel,
  languageModel,
  type Model,
  modelFromPreset,
  type NetworkOf,
  type PresetOptions,
} from './model.js';
export { checkDivides, parseWith } from './parse-with.js';
export { quantizeModel } from './quantize.js';
export { checkMemory, checkModelFits, type FitOptions, type ModelSize, modelSize } from './size.js';
export { type WeightDtype, type WeightOptions, weightDtypes } from './weight-options.js';

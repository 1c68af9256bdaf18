export type { ActivationName } from './activations.js';
export { type BartConfig, bart } from './bart.js';
export type { BartSizes } from './bart-body.js';
export { type BertArchitecture, type BertConfig, bert } from './bert.js';
export type { BertSizes } from './bert-body.js';
export { type BloomConfig, bloom } from './bloom.js';
export { browserCache, type CheckpointCache } from './checkpoint/cache.js';
export { describeCheckpoint, type ParameterDescription } from './checkpoint/describe.js';
export type { CheckpointFiles, CheckpointPlace } from './checkpoint/files.js';
export type { LoadProgress } from './checkpoint/fill.js';
export { type LoadedModel, type LoadOptions, loadModel } from './checkpoint/load.js';
export type { FetchFile, WebOptions } from './checkpoint/web.js';
export { checkpointSource, checkpointTensors } from './checkpoint.js';
export { checkDivides, parseWith } from './config.js';
export type {
  AdaptiveHead,
  BlockKind,
  ClassificationHead,
  DecoderConfiguration,
  EmbeddingPart,
  FeedForwardPart,
  HeadPart,
  HeadsPart,
  ModelConfiguration,
  NormPart,
  PositionPart,
  RotaryPart,
  ScorePart,
  TransformerXLPart,
} from './configuration.js';
export { parseConfiguration } from './configuration-schema.js';
export { EncoderDecoder, type EncoderDecoderParts } from './encoder-decoder.js';
export { type FalconConfig, falcon } from './falcon.js';
export { families, familyOf } from './families.js';
export {
  type Held,
  type KeyCopy,
  type KeyPlace,
  type KeyTable,
  type ModelFamily,
  placeOf,
} from './family.js';
export { type GPT2Config, gpt2 } from './gpt2.js';
export {
  answerSpan,
  Classifier,
  type ClassifierOptions,
  type EncoderHead,
  type HeadOptions,
  MaskedLanguageHead,
  type MaskedLanguageHeadOptions,
  meanPooled,
  Pooler,
  sentenceEmbeddings,
} from './heads.js';
export { type LlamaConfig, llama, mistral, qwen2 } from './llama.js';
export { AdaptedModel } from './lora/adapted.js';
export { Lora, type LoraOptions } from './lora/lora.js';
export { loraFromPeft, peftConfig, peftTensors } from './lora/peft.js';
export { type PeftConfig, parsePeftConfig } from './lora/peft-config.js';
export {
  type CreateOptions,
  changedPreset,
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
  type PresetChange,
} from './model.js';
export { quantizeModel } from './quantize.js';
export {
  camembert,
  type RobertaArchitecture,
  type RobertaConfig,
  roberta,
  xlmRoberta,
} from './roberta.js';
export type { RopeSettings } from './rope.js';
export { groupedHeads, type RowOrder } from './row-order.js';
export type { Settings } from './settings.js';
export { checkMemory, checkModelFits, type FitOptions, type ModelSize, modelSize } from './size.js';
export { type T5Config, t5 } from './t5.js';
export { type TransformerConfig, transformer } from './transformer.js';
export { type TransformerXLConfig, transformerXL } from './transformer-xl.js';

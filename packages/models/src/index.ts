export { meanPooled, sentenceEmbeddings } from './build/heads.js';
export type {
  AdaptiveHead,
  BlockKind,
  ClassificationHead,
  DecoderConfiguration,
  EmbeddingHead,
  EmbeddingPart,
  EncoderConfiguration,
  FeedForwardPart,
  HeadPart,
  HeadsPart,
  InitPart,
  LanguageModelHead,
  MaskedLanguageModelHead,
  ModelConfiguration,
  NormPart,
  PositionPart,
  ScorePart,
} from './build/model-configuration.js';
export {
  type BlockContext,
  type OwnPart,
  type OwnSlot,
  type PartContext,
  type PartFactory,
  registerPart,
} from './build/own-parts.js';
export { changedPreset, type PresetChange } from './change.js';
export { browserCache, type CheckpointCache } from './checkpoint/cache.js';
export { describeCheckpoint, type ParameterDescription } from './checkpoint/describe.js';
export type { CheckpointFiles, CheckpointPlace } from './checkpoint/files.js';
export type { LoadProgress } from './checkpoint/fill.js';
export { type LoadedModel, type LoadOptions, loadModel } from './checkpoint/load.js';
export { loadParams } from './checkpoint/params.js';
export type { FetchFile, WebOptions } from './checkpoint/web.js';
export { clipTower } from './families/clip.js';
export { families } from './families.js';
export type { ComputedTensor, Held, KeyCopy, KeyTable, ModelFamily } from './family.js';
export type { HubOptions } from './hub/address.js';
export { hubFiles } from './hub/files.js';
export { AdaptedModel } from './lora/adapted.js';
export { Lora, type LoraOptions } from './lora/lora.js';
export {
  type CreateOptions,
  type CrossDecoderSettings,
  createModel,
  type DecoderFamily,
  type DecoderSettings,
  type EncoderDecoderSettings,
  type EncoderFamily,
  type EncoderSettings,
  encoderDecoderModel,
  encoderModel,
  languageModel,
  type Model,
  modelFromPreset,
  type NetworkOf,
  type PresetOptions,
} from './model.js';
export { loadPictureSettings } from './pictures/load.js';
export { preparePictures, type RawPicture } from './pictures/prepare.js';
export { type PictureSettings, pictureSettings, type Sides } from './pictures/settings.js';
export { quantizeModel } from './quantize.js';
export { checkModelFits, type ModelSize, modelSize } from './size.js';
export { loadLogMelSettings } from './speech/load.js';
export { type LogMelOptions, logMelFeatures } from './speech/log-mel.js';
export { logMelSettings } from './speech/settings.js';
export { type WeightDtype, type WeightOptions, weightDtypes } from './weight-options.js';

export type { DenseLayer } from './dense-layer.js';
export { type EmbeddingModel, type EmbedOptions, embed } from './embed.js';
export {
  generateText,
  type Prompt,
  promptIds,
  type StreamTextOptions,
  streamText,
  type TextModel,
  type TextOptions,
  type TextPiece,
  type TextSettings,
} from './generate-text.js';
export { generateTexts } from './generate-texts.js';
export type { Languages } from './languages.js';
export {
  type LoadedEmbeddingModel,
  type LoadedEncoder,
  type LoadedReranker,
  type LoadedText,
  type LoadTextOptions,
  load,
  loadAny,
  loadEmbeddingModel,
  loadReranker,
} from './load.js';
export type { Pooling } from './pooling.js';
export {
  type RankedText,
  type RerankModel,
  type RerankOptions,
  rerank,
} from './rerank.js';
export type { RerankActivation, RerankSettings } from './reranker.js';
export type { SentenceSettings } from './sentence-model.js';
export type { SpeechSettings } from './speech-settings.js';
export { type GeneratedText, TextQueue } from './text-queue.js';
export { type ToolCallForm, type ToolCallFormOptions, toolCallForm } from './tool-call-form.js';
export { readsTools, type ToolCall, ToolCallParser, type ToolCallPiece } from './tool-calls.js';
export {
  type SpeechModel,
  type TranscribedSegment,
  type TranscribeOptions,
  type Transcription,
  transcribe,
} from './transcribe.js';

export {
  type EmbeddingModelAndTokenizer,
  type EmbeddingModelOptions,
  embeddingModel,
} from './embedding-model.js';
export type { JsonConstraint } from './json.js';
export {
  type LanguageModelOptions,
  languageModel,
  type ProviderOptions,
  type TextInAndOut,
} from './language-model.js';

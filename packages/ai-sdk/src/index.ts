export {
  type LanguageModelOptions,
  languageModel,
  type ProviderOptions,
  type TextInAndOut,
} from './language-model.js';

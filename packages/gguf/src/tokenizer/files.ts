import type { Json } from './json.js';

/** What a model's folder says of its tokenizer. */
export interface GgufTokenizerFiles {
  /** `tokenizer.json`. */
  tokenizer: Json;
  /** `tokenizer_config.json`. */
  tokenizerConfig?: Json | undefined;
  /** `config.json`, for ids of special tokens that the tokenizer does not name. */
  config: Json;
  /** The chat template, as Jinja. */
  chatTemplate?: string | undefined;
  /** `V` of the model: what the vocabulary is filled up to. */
  vocabSize: number;
}

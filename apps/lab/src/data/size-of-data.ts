import { alphabets, problemLength } from '@headwise/runs';
import { isTask, type RunConfig } from '../model/run-config.js';

/** The configuration with what follows from the data: a task says how long the context is. */
export function withContext(config: RunConfig): RunConfig {
  const { source, length } = config.data;
  if (!isTask(source)) return config;
  return { ...config, model: { ...config.model, context: problemLength(source, length) - 1 } };
}

/** The size of the vocabulary before anything is read; undefined where only the text can tell. */
export function knownVocabulary({ data }: RunConfig): number | undefined {
  if (isTask(data.source)) return alphabets[data.source].length + 1;
  return data.tokenizer === 'byte-bpe' ? data.vocabSize : undefined;
}

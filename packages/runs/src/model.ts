import { InputError, type LanguageModel } from '@headwise/core';
import {
  checkModelFits,
  createModel,
  languageModel,
  type Model,
  modelSize,
} from '@headwise/models';
import { checkMemory, modelParts } from '@headwise/models/internal';
import { AdamW, Muon, type Optimizer } from '@headwise/training';
import type * as tf from '@tensorflow/tfjs';
import { isConfigured } from './check-run-config.js';
import { partsConfig } from './parts.js';
import type { RunConfig } from './run-config.js';
import { objectiveNeeds, type RunObjective, tokenIdsOf } from './run-objectives.js';
import { alphabets } from './tasks.js';

/** The configuration of a run's model, as `createModel` takes it. */
export function modelConfig(
  model: RunConfig['model'],
  vocabSize: number,
  objective: RunObjective = 'causal-lm',
): unknown {
  if (!isConfigured(model)) return partsConfig(model, vocabSize);
  const { config } = model;
  if (config.model_type === 'headwise') return { ...config, vocabSize };
  // The families' usual ids of special tokens are those of other vocabularies.
  const ids =
    objective === 'causal-lm' ? { bos_token_id: null, eos_token_id: null } : tokenIdsOf(objective);
  return { ...ids, ...config, vocab_size: vocabSize };
}

/** The size of the vocabulary before anything is read; undefined where only the text can tell. */
export function knownVocabulary({ data, tokenizer }: RunConfig): number | undefined {
  // An alphabet, and the token for what is not in it.
  if ('task' in data) return alphabets[data.task].length + 1;
  return tokenizer?.kind === 'byte-bpe' ? tokenizer.vocabSize : undefined;
}

/** Parameters, gradients and AdamW's two moments. */
const copies = 4;
/** The least that a vocabulary of characters is taken for before it is known. */
const someCharacters = 256;

/**
 * Throws before anything is allocated where the model cannot be trained: it does not predict the next token, or it or a
 * batch does not fit into memory.
 *
 * @param vocabSize of its tokenizer; default what is known of it before the text is read
 */
export function checkRunFits(config: RunConfig, vocabSize?: number): void {
  const { model, training } = config;
  const name = isConfigured(model) ? "'model.config'" : "'model'";
  const { objective = 'causal-lm' } = config;
  const vocabulary = vocabSize ?? knownVocabulary(config) ?? someCharacters;
  const json = modelConfig(model, vocabulary, objective);
  const { topology, head, maxLength, dim, layers } = modelParts(json, name);
  const needs = objectiveNeeds[objective];
  if (topology !== needs.topology || !needs.head(head)) {
    throw new InputError(
      `${name}: is ${topology === 'decoder' ? 'a decoder' : `an ${topology}`} with the head '${head.kind}'; ${needs.words}`,
    );
  }
  if (maxLength !== null && model.context > maxLength) {
    throw new InputError(
      `${name}: the longest sequence is ${maxLength}; 'model.context' is ${model.context}`,
    );
  }
  checkModelFits(modelSize(json, name), { copies, name });
  // What a step holds at the least: the inputs of both halves of every block, and the output, in float32.
  const tokens = training.batchSize * model.context;
  checkMemory(
    4 * tokens * dim * (2 * layers + 1),
    (bytes) =>
      `'training.batchSize' ${training.batchSize} windows of 'model.context' ${model.context} tokens need at least ${bytes} a step`,
  );
}

/** A new model of a run, its parameters drawn from the run's seed. */
export function newModel(config: RunConfig, vocabSize: number): Model<LanguageModel> {
  checkRunFits(config, vocabSize);
  const { seed } = config.training;
  return languageModel(
    createModel(modelConfig(config.model, vocabSize), { seed, name: "'model'" }),
  );
}

/** A new optimizer of a run's model. */
export function newOptimizer(model: Model, config: RunConfig): Optimizer {
  return optimizerOf(model.params.named(), config);
}

/** The optimizer of a run over some parameters, by path. */
export function optimizerOf(
  params: Readonly<Record<string, tf.Variable>>,
  { training }: RunConfig,
): Optimizer {
  const { optimizer, adamwRate, beta2, weightDecay } = training;
  return optimizer === 'muon'
    ? new Muon(params, { weightDecay, adamw: { rate: adamwRate, beta2 } })
    : new AdamW(params, { beta2, weightDecay });
}

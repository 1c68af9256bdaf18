import type { Tokenizer } from '@headwise/tokenizers';
import type { TokenBatch } from '@headwise/training';

/** What the model is given to write on from, and the right answer, where it is known. */
export interface SamplePrompt {
  prompt: string;
  expected?: string | undefined;
}

/** Windows or rows of a run's data. */
export interface RunBatch extends TokenBatch {
  /** `[B, T]`, the word of each input, −1 for a token of none; where words are masked. */
  readonly words?: Int32Array | undefined;
}

/** What the steps of a run read. */
export interface RunData {
  tokenizer: Tokenizer;
  batches: { at(step: number): RunBatch | Promise<RunBatch> };
  /** The batches to measure on: the same every time. */
  validation(): Iterable<RunBatch>;
  /** UTF-8 bytes of the text that they predict; undefined of a task, whose questions are not predicted. */
  validationBytes?: number | undefined;
  prompts: SamplePrompt[];
  /** How many tokens there are; undefined of a task, which has no end. */
  tokens?: { train: number; validation: number } | undefined;
}

import type { Precision } from '@headwise/core';
import type { Masking } from './masking.js';
import type { Packing } from './packed-documents.js';
import type { ModelParts } from './parts.js';
import type { RunObjective } from './run-objectives.js';
import type { ScheduledSampling } from './scheduled-sampling.js';
import type { TaskName } from './tasks.js';

/** A model by its configuration, of any family that predicts the next token. */
export interface ConfiguredModel {
  /** A `config.json` as `createModel` takes it, without the size of the vocabulary, which is the tokenizer's. */
  config: Record<string, unknown>;
  /** Tokens in a window. */
  context: number;
}

/** A text to learn from. */
export interface TextData {
  /** A text file, a folder of `.txt` files, or `npm:PACKAGE` for a package that exports texts. */
  corpus: string;
  /**
   * How documents share a window, each seen by itself: as many whole ones as fit (`best-fit`), or one after the other, cut where a
   * window is full (`concatenate`); absent: windows over the whole text.
   */
  packing?: Packing | undefined;
  /** What stands between two documents, where they are read as such; absent: a blank line. */
  separator?: string | undefined;
  /** What is masked at once, of `masked-lm`, `next-sentence` and `sentence-order`; absent: single tokens. */
  masking?: Masking | undefined;
  /** The share of the text, at its end, that is kept for validation. */
  validation: number;
  /** The most tokens of that share that are measured on; absent: all. */
  validationTokens?: number | undefined;
}

/** Tokenised shards to learn from; their tokenizer is the run's. */
export interface ShardData {
  /** A folder of shards, as `headwise data tokenize` writes; absent with `mixture`. */
  shards?: string | undefined;
  /** A mixture file, as `headwise data mix` writes; absent with `shards`. */
  mixture?: string | undefined;
  /** The share of each source's tokens, at its end, that is kept for validation. */
  validation: number;
  /** The most tokens of that share that are measured on. */
  validationTokens: number;
}

/** Problems with known answers, made as they are needed. */
export interface TaskData {
  task: TaskName;
  /** Symbols of a problem; absent for `addition`, whose problems have one length. */
  length?: number | undefined;
}

/** The tokenizer that is learned from the text. */
export interface TokenizerPart {
  kind: 'byte-bpe' | 'character';
  /** Of `byte-bpe`: 256 bytes and what is learned. */
  vocabSize: number;
}

/** The schedule of a run. */
export interface TrainingPart {
  /** Of parameters, batches and dropout. */
  seed: number;
  steps: number;
  batchSize: number;
  learningRate: number;
  minLearningRate: number;
  warmupSteps: number;
  /** Steps at the end in which the rate comes down in a straight line; absent: half a cosine after the warm-up. */
  decaySteps?: number | undefined;
  weightDecay: number;
  /** Muon updates the matrices of linear maps, and leaves the rest to AdamW. */
  optimizer: 'adamw' | 'muon';
  /** The factor of the learning rate of what Muon leaves to AdamW; absent: 1. */
  adamwRate?: number | undefined;
  /** Of AdamW. */
  beta2: number;
  /** Gradients are scaled down to this norm. */
  maxNorm: number;
  /** Of an encoder-decoder: the share of its decoder's inputs that are its own predictions. Absent: teacher forcing. */
  scheduledSampling?: ScheduledSampling | undefined;
  /** The part of an average of the weights that each step keeps; the average is the result then. Absent: none is kept. */
  emaDecay?: number | undefined;
  /**
   * What linear maps compute in: `mixed` rounds what they multiply and keep to float16, with a loss scale, on WebGPU with
   * `shader-f16`.
   */
  precision: Precision;
  checkpointEvery: number;
  /** Steps between two validations; absent: before the first step and after the last. */
  validateEvery?: number | undefined;
}

/** What the model writes. Of a task, whose problems are the prompts and are solved greedily, `every` alone is set. */
export interface SamplesPart {
  /** Absent: the first words of the validation part. */
  prompt?: string | undefined;
  temperatures?: number[] | undefined;
  maxNewTokens?: number | undefined;
  seed?: number | undefined;
  /** Steps between two samples; absent: after the last step. */
  every?: number | undefined;
}

/** A training run: its model, tokenizer, data and schedule. */
export interface RunConfig {
  /**
   * What the model is trained for; absent: `causal-lm`. `masked-lm`, `next-sentence` and `sentence-order` are for an encoder,
   * `span-corruption` and `denoising` for an encoder-decoder, by `model.config`, on a text.
   */
  objective?: RunObjective | undefined;
  model: ModelParts | ConfiguredModel;
  /** Absent for a task, whose alphabet is its vocabulary, and for shards, which have theirs. */
  tokenizer?: TokenizerPart | undefined;
  data: TextData | ShardData | TaskData;
  training: TrainingPart;
  samples?: SamplesPart | undefined;
}

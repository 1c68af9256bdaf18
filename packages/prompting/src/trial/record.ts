import type { Prompt } from '@headwise/text';
import type { PromptCut } from '../fit.js';

/** A prompt of a trial as the model read it, and what came. */
export interface TrialCall {
  readonly prompt: Prompt;
  /** What a budget left out of it; only where something was. */
  readonly cuts?: readonly PromptCut[] | undefined;
  /** The text that the model wrote. */
  readonly answer?: string | undefined;
  /** In place of a text: how likely each label is. */
  readonly scores?: readonly TrialScore[] | undefined;
}

/** A label, with its log-probability in nats and its share among all labels, calibrated where that was asked for. */
export interface TrialScore {
  readonly label: string;
  readonly logProbability: number;
  readonly probability: number;
}

/** A question as one variant answers it: a line of the file that keeps a trial. Nothing of time or place is in it. */
export interface TrialRecord {
  readonly condition: string;
  readonly prompt: string;
  readonly shots: number;
  readonly chain: boolean;
  readonly seed: number;
  readonly order: number;
  /** The example's id, and those that were shown before it. */
  readonly example: string;
  readonly shown: readonly string[];
  /** Every prompt in its order, such as the two of a chain of thought. */
  readonly calls: readonly TrialCall[];
  /** The label that was given, or why there is none. */
  readonly answer?: string | undefined;
  readonly problem?: string | undefined;
  readonly expected: string;
  readonly correct: boolean;
  /** The probability of the answer among all labels; of scored answers. */
  readonly confidence?: number | undefined;
  /** Tokens that were read: each label is scored behind a prompt of its own. */
  readonly promptTokens: number;
  /** Tokens that were written, or scored. */
  readonly answerTokens: number;
}

import type { Prompt, TextOptions } from '@headwise/text';
import type { PromptReader } from './reader.js';

/** Texts that are scored after a prompt. */
export interface ScoreRequest {
  readonly prompt: Prompt;
  /** Each follows the prompt at once, so that a space between them belongs to it. */
  readonly continuations: readonly string[];
  /** The prompt and its example in errors, as `placeOf` gives them. Default `the prompt`. */
  readonly place?: string | undefined;
}

/** The probability of a text after a prompt. */
export interface ContinuationScore {
  /** Its tokens: ids, or their texts where a server gives these. */
  readonly tokens: readonly (number | string)[];
  /** How many tokens it was read behind. */
  readonly promptTokens: number;
  /** `Σ log p(token | all before)`, in nats. */
  readonly logProbability: number;
  /** Whether greedy decoding of the prompt gives it; undefined where a server does not say what is likeliest. */
  readonly isGreedy: boolean | undefined;
}

/** A text that a model wrote after a prompt. */
export interface WrittenText {
  readonly text: string;
  /** The tokens that it wrote, and those of the prompt. */
  readonly tokens: number;
  readonly promptTokens: number;
  /** Why it ended: at an end token or a stop text, or at its length. */
  readonly reason: string;
}

/** How long a model may work. */
export interface WorkOptions {
  /** Ends the work from outside, with its reason as the error. */
  signal?: AbortSignal | undefined;
}

/** A model that reads prompts, writes texts after them, and scores texts after them. */
export interface PromptModel extends PromptReader {
  /** What records name it by. */
  readonly name: string;
  /** Which weights it has, such as their hash; undefined where that is not known, as of a server. */
  readonly revision?: string | undefined;
  /** Tokens of an answer at most where `maxNewTokens` is not given. Default 64. */
  readonly answerTokens?: number | undefined;
  /**
   * Writes a text after each prompt.
   *
   * @param options for all, or one for each prompt
   */
  write(
    prompts: readonly Prompt[],
    options?: TextOptions | readonly TextOptions[],
  ): Promise<readonly WrittenText[]>;
  /** Scores continuations of prompts, in the order of the requests. */
  score(
    requests: readonly ScoreRequest[],
    options?: WorkOptions,
  ): Promise<readonly (readonly ContinuationScore[])[]>;
}

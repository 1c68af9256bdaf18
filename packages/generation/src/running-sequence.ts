import { InputError, Random } from '@headwise/core';
import type { Generator } from './batch-scores.js';
import type { GeneratedToken, NextDraw } from './draw.js';
import type { GenerateOptions } from './options.js';
import { checkedPlan, type Plan } from './plan.js';
import { processed } from './process-scores.js';
import { startOf } from './prompt.js';
import { Stopping, type StopReason } from './stop.js';
import { checkAlternatives } from './stream.js';

/** What to give beside the tokens. */
export interface BatchDetails {
  /** The number of likeliest tokens to give with each token; default 0. */
  alternatives?: number | undefined;
  /** Give the scores that each token was drawn by, `[V]`, −∞ for what is not drawn: `4 V` bytes are read a token. Default false. */
  scores?: boolean | undefined;
}

/** A sequence of a batch, as far as it was generated. */
export interface RunningSequence {
  /** The new tokens, without the stop id, each with its log-probability. */
  readonly tokens: readonly GeneratedToken[];
  /** For each token the scores that it was drawn by, where they were asked for. */
  readonly scores: readonly Float64Array[];
  /** Why it ended; undefined while it goes on. `error` where it could not go on. */
  readonly reason: StopReason | 'error' | undefined;
  /** The stop id that ended it, where one did. */
  readonly stopId: number | undefined;
  /** What ended it, where the reason is `error`: what its processor threw, or an InputError for scores that are NaN or +∞. */
  readonly error: unknown;
}

/** A sequence of the batch while it grows. */
export class Growing implements RunningSequence {
  readonly plan: Plan;
  readonly random: Random;
  readonly alternatives: number;
  readonly keepsScores: boolean;
  /** What the model reads before: the prompt, or an encoder's input; under guidance the negative prompt as well. */
  readonly prompts: readonly (readonly number[])[];
  /** Prompt, or the start of a decoder's output, and new tokens. */
  readonly ids: number[];
  readonly tokens: GeneratedToken[] = [];
  readonly scores: Float64Array[] = [];
  readonly #stopping: Stopping;
  readonly #room: number;
  #reason: StopReason | 'error' | undefined;
  /** The stop id that ended it, where one did, as it was drawn. */
  stopToken: GeneratedToken | undefined;
  error: unknown;

  /** @throws InputError for a prompt that is empty, too long or outside the vocabulary, and for options out of range */
  constructor(
    network: Generator,
    prompt: readonly number[],
    options: GenerateOptions,
    { alternatives = 0, scores = false }: BatchDetails,
  ) {
    checkAlternatives(alternatives);
    if (options.speculation) {
      throw new InputError(
        'speculation is given for a batch; expected none: it is for generate and stream',
      );
    }
    if (options.contextShift) {
      throw new InputError(
        'contextShift is given for a batch; expected none: it is for generate and stream',
      );
    }
    const start = startOf(network, prompt, options);
    this.plan = checkedPlan(network, prompt, options, start);
    this.alternatives = alternatives;
    this.keepsScores = scores;
    const { guidance, dola } = this.plan;
    if (dola) {
      throw new InputError(
        'dolaLayers is given for a batch; expected none: DoLa is for generate and stream',
      );
    }
    this.prompts = guidance ? [[...prompt], guidance.prompt] : [[...prompt]];
    this.random = new Random(this.plan.seed);
    this.ids = [...start];
    this.#stopping = new Stopping(this.plan);
    // The last token needs no place in the cache.
    this.#room = network.maxLength + 1 - start.length;
    // What a constraint allows is complete within the context.
    if (this.plan.allowed) this.plan.most = Math.min(this.plan.most, this.#room);
  }

  get stopId(): number | undefined {
    return this.stopToken?.id;
  }

  get reason(): StopReason | 'error' | undefined {
    return this.#reason;
  }

  /** Whether it has ended, or must before the next token. */
  get ended(): boolean {
    const made = this.tokens.length;
    try {
      this.#reason ??=
        this.#stopping.before(made, this.ids) ?? (made >= this.#room ? 'length' : undefined);
    } catch (error) {
      this.fail(error);
    }
    return this.#reason !== undefined;
  }

  /** What its next token is drawn by. */
  get drawing(): NextDraw {
    return { plan: this.plan, random: this.random, ids: this.ids, made: this.tokens.length };
  }

  /** @param scores that the token was drawn from, `[V]`, where they are kept */
  take(token: GeneratedToken, scores: ArrayLike<number> | undefined): void {
    if (this.#stopping.at(token.id)) {
      this.#reason = 'stop';
      this.stopToken = token;
      return;
    }
    if (scores) this.scores.push(processed(this.plan, scores, this.ids, this.tokens.length));
    this.tokens.push(token);
    this.ids.push(token.id);
  }

  /** Ends it with an error. */
  fail(error: unknown): void {
    this.#reason = 'error';
    this.error = error;
  }
}

import { InputError } from '@headwise/core';
import { checkAtLeast0 } from './fused.js';

export interface EarlyStoppingOptions {
  /** How many measurements in a row may bring no better loss before training stops; at least 1. */
  patience: number;
  /** A loss is better where it is lower than the best by more than this; default 0. */
  threshold?: number | undefined;
  /** Goes on from here, as `state` gave it. */
  state?: StoppingState | undefined;
}

/** What early stopping remembers; it can be saved as JSON. */
export interface StoppingState {
  /** The best loss; absent before the first. */
  readonly best?: number | undefined;
  /** Measurements since the best loss. */
  readonly since: number;
}

/**
 * Tells from the losses of a validation when training no longer helps.
 *
 * @see Prechelt 1998, https://doi.org/10.1007/3-540-49430-8_3
 * @example
 * const stopping = new EarlyStopping({ patience: 3 });
 * for await (const { step } of train(options)) {
 *   if (step % 100 !== 99) continue;
 *   const { improved, stop } = stopping.measured((await evaluate(objective, validation)).loss);
 *   if (improved) await saveModel('best', model);
 *   if (stop) break;
 * }
 */
export class EarlyStopping {
  readonly #patience: number;
  readonly #threshold: number;
  #state: StoppingState;

  /** @throws InputError where an option is outside its range */
  constructor({ patience, threshold = 0, state = { since: 0 } }: EarlyStoppingOptions) {
    if (!Number.isSafeInteger(patience) || patience < 1) {
      throw new InputError(
        `EarlyStopping: patience is ${patience}; expected a whole number of at least 1`,
      );
    }
    checkAtLeast0('EarlyStopping: threshold', threshold);
    this.#patience = patience;
    this.#threshold = threshold;
    this.#state = state;
  }

  /** To be saved with the training. */
  get state(): StoppingState {
    return this.#state;
  }

  /**
   * Takes the loss of a validation.
   *
   * @returns whether it is the best so far, and whether to stop
   * @throws InputError where the loss is NaN
   */
  measured(loss: number): { improved: boolean; stop: boolean } {
    if (Number.isNaN(loss)) throw new InputError('EarlyStopping: the loss is NaN');
    const { best, since } = this.#state;
    const improved = best === undefined || loss < best - this.#threshold;
    this.#state = improved ? { best: loss, since: 0 } : { best, since: since + 1 };
    return { improved, stop: this.#state.since >= this.#patience };
  }
}

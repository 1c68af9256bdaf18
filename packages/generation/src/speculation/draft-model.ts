import { InputError, type LanguageModel } from '@headwise/core';
import { Continuation } from '../continuation.js';
import { planOf } from '../plan.js';
import { longestDraft } from './draft-length.js';
import type { Drafter, Speculation } from './speculation.js';

/**
 * Drafts by a smaller model of the same vocabulary: its likeliest tokens are proposed.
 *
 * @param draft stays the caller's
 * @see Leviathan et al. 2023, https://arxiv.org/abs/2211.17192
 * @example
 * const speculation = draftModel(small.network);
 * for await (const id of generate(large.network, prompt, { speculation })) ids.push(id);
 */
export function draftModel(draft: LanguageModel): Speculation {
  return {
    start: ({ vocabSize }) => {
      if (draft.vocabSize === vocabSize) return new ModelDrafter(draft);
      throw new InputError(
        `draftModel: the draft model has ${draft.vocabSize} tokens; expected ${vocabSize}, as the model has`,
      );
    },
  };
}

/**
 * Drafts by the model's own first layers, with its own last norm and head.
 *
 * @param layers fewer than the model has, at least 1
 * @see Elhoushi et al. 2024, LayerSkip, https://arxiv.org/abs/2404.16710
 */
export function earlyExit(layers: number): Speculation {
  return {
    start: (network) => {
      if (network.firstLayers) return new ModelDrafter(network.firstLayers(layers));
      throw new InputError(
        'earlyExit: the model has no firstLayers; expected a decoder of @headwise/models',
      );
    },
  };
}

/** Proposes a model's likeliest tokens, and keeps the keys and values of those before. */
class ModelDrafter implements Drafter {
  readonly #network: LanguageModel;
  #continuation: Continuation | undefined;
  /** The tokens that the model has processed, or will have with the next one. */
  #seen: readonly number[] = [];

  constructor(network: LanguageModel) {
    this.#network = network;
  }

  async draft(sequence: readonly number[], most: number): Promise<readonly number[]> {
    const room = Math.min(most, this.#network.maxLength - sequence.length);
    if (room < 1) return [];
    this.#continuation ??= this.#begin();
    let same = 0;
    while (same < this.#seen.length && this.#seen[same] === sequence[same]) same++;
    this.#continuation.keep(Math.min(same, sequence.length - 1));
    const ids = [...sequence];
    while (ids.length < sequence.length + room) {
      ids.push(...(await this.#continuation.next(ids, ids.length - sequence.length)));
    }
    this.#seen = ids;
    return ids.slice(sequence.length, sequence.length + room);
  }

  dispose(): void {
    this.#continuation?.dispose();
  }

  #begin(): Continuation {
    // Room for the whole sequence; some models have no bound.
    const maxNewTokens = Math.min(this.#network.maxLength, Number.MAX_SAFE_INTEGER);
    const options = { temperature: 0, runAhead: longestDraft, maxNewTokens };
    return new Continuation(this.#network, planOf(this.#network, [], options), 0);
  }
}

import type { TokenProbability } from '@headwise/generation';
import type { Tokenizer } from '@headwise/tokenizers';
import type { AnswerPiece } from '../answer.js';
import { textOf } from '../token-text.js';

/** Log-probabilities as completions have them: a list for each property. */
export interface CompletionLogprobsBody {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[];
  /** In code points of the choice's text. */
  text_offset: number[];
}

/** Writes the log-probabilities of a choice, all at once or piece by piece. */
export class CompletionLogprobs {
  readonly #tokenizer: Tokenizer;
  #offset: number;

  /** @param before the text of the choice before the first token */
  constructor(tokenizer: Tokenizer, before = '') {
    this.#tokenizer = tokenizer;
    this.#offset = codePoints(before);
  }

  /** The log-probabilities of pieces; tokens of a stop text are left out. */
  of(pieces: readonly AnswerPiece[]): CompletionLogprobsBody {
    const body: CompletionLogprobsBody = {
      tokens: [],
      token_logprobs: [],
      top_logprobs: [],
      text_offset: [],
    };
    const stopped = pieces.at(-1)?.stopped ?? false;
    const end = this.#offset + pieces.reduce((sum, { text }) => sum + codePoints(text), 0);
    for (const { token, decoded } of pieces) {
      if (token && !(stopped && this.#offset >= end)) {
        body.tokens.push(textOf(this.#tokenizer, token.id));
        body.token_logprobs.push(token.logProbability);
        body.top_logprobs.push(this.#best(token, token.alternatives));
        body.text_offset.push(this.#offset);
      }
      this.#offset += codePoints(decoded);
    }
    return body;
  }

  /** The likeliest tokens and the drawn one, by their text; of two of one text, the likelier. */
  #best(
    drawn: TokenProbability,
    alternatives: readonly TokenProbability[],
  ): Record<string, number> {
    const best: Record<string, number> = {};
    for (const { id, logProbability } of [...alternatives, drawn]) {
      best[textOf(this.#tokenizer, id)] ??= logProbability;
    }
    return best;
  }
}

const codePoints = (text: string): number => [...text].length;

import type { GeneratedToken } from '@headwise/generation';
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

  /**
   * The log-probabilities of all tokens that were drawn, as clients count them from the end: those of a stop text included.
   *
   * @param endToken what follows the pieces
   */
  of(pieces: readonly AnswerPiece[], endToken?: GeneratedToken): CompletionLogprobsBody {
    const body: CompletionLogprobsBody = {
      tokens: [],
      token_logprobs: [],
      top_logprobs: [],
      text_offset: [],
    };
    const drawn = [...pieces, ...(endToken ? [{ token: endToken, decoded: '' }] : [])];
    for (const { token, decoded } of drawn) {
      if (token) {
        body.tokens.push(textOf(this.#tokenizer, token.id));
        body.token_logprobs.push(token.logProbability);
        body.top_logprobs.push(bestOf(this.#tokenizer, token));
        body.text_offset.push(this.#offset);
      }
      this.#offset += codePoints(decoded);
    }
    return body;
  }
}

/**
 * The log-probabilities of a prompt that is part of a choice; its first token has none.
 *
 * @param scored its tokens but the first
 */
export function promptLogprobs(
  tokenizer: Tokenizer,
  ids: readonly number[],
  scored: readonly GeneratedToken[],
): CompletionLogprobsBody {
  const decoder = tokenizer.decodeStream({ skipSpecialTokens: false });
  let offset = 0;
  const offsets = ids.map((id) => {
    const before = offset;
    offset += codePoints(decoder.push(id));
    return before;
  });
  return {
    tokens: ids.map((id) => textOf(tokenizer, id)),
    token_logprobs: [null, ...scored.map(({ logProbability }) => logProbability)],
    top_logprobs: [null, ...scored.map((token) => bestOf(tokenizer, token))],
    text_offset: offsets,
  };
}

/** The lists of a prompt and of what follows it. */
export const joined = (
  a: CompletionLogprobsBody,
  b: CompletionLogprobsBody,
): CompletionLogprobsBody => ({
  tokens: [...a.tokens, ...b.tokens],
  token_logprobs: [...a.token_logprobs, ...b.token_logprobs],
  top_logprobs: [...a.top_logprobs, ...b.top_logprobs],
  text_offset: [...a.text_offset, ...b.text_offset],
});

/** The likeliest tokens and the drawn one, by their text; of two of one text, the likelier. */
function bestOf(tokenizer: Tokenizer, token: GeneratedToken): Record<string, number> {
  const best: Record<string, number> = {};
  for (const { id, logProbability } of [...token.alternatives, token]) {
    best[textOf(tokenizer, id)] ??= logProbability;
  }
  return best;
}

const codePoints = (text: string): number => [...text].length;

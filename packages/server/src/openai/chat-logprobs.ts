import type { GeneratedToken, TokenProbability } from '@headwise/generation';
import type { Tokenizer } from '@headwise/tokenizers';
import { bytesOf, textOf } from '../token-text.js';

/** A token as chats write its log-probability. */
export interface ChatLogprob {
  token: string;
  logprob: number;
  /** A character may take the bytes of several tokens. */
  bytes: number[];
  top_logprobs: Omit<ChatLogprob, 'top_logprobs'>[];
}

/** The log-probability of a token and of the likeliest in its place. */
export function chatLogprob(tokenizer: Tokenizer, token: GeneratedToken): ChatLogprob {
  const one = ({ id, logProbability: logprob }: TokenProbability) => ({
    token: textOf(tokenizer, id),
    logprob,
    bytes: Array.from(bytesOf(tokenizer, id)),
  });
  return { ...one(token), top_logprobs: token.alternatives.map(one) };
}

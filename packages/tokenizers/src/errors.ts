import { HeadwiseError } from '@headwise/errors';

/** A tokenizer, or what it was given, cannot be used. */
export class TokenizerError extends HeadwiseError {
  override readonly name = 'TokenizerError';
}

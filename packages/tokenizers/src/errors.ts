import { HeadwiseError } from '@headwise/errors';

/** A tokenizer file or an argument cannot be used. */
export class TokenizerError extends HeadwiseError {
  override readonly name = 'TokenizerError';
}

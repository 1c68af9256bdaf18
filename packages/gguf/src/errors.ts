import { HeadwiseError } from '@headwise/errors';

/** A model, a tokenizer or a value that a GGUF file cannot hold. */
export class GgufError extends HeadwiseError {
  override readonly name = 'GgufError';
}

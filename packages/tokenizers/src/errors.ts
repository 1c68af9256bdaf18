/** A tokenizer, or what it was given, cannot be used. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
}

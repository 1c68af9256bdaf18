/** Turns tokens back into text. */
export interface Decoder {
  /**
   * Yields strings whose concatenation is the text.
   *
   * @param room code units at most
   * @throws TokenizerError where there are more
   */
  decode(tokens: readonly string[], room: number): string[];
}

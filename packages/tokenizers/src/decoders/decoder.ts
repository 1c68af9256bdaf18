/** Turns tokens back into text. */
export interface Decoder {
  /**
   * Gives texts that, one behind the other, are the text.
   *
   * @param room code units at most
   * @throws TokenizerError where there are more
   */
  decode(tokens: readonly string[], room: number): string[];
}

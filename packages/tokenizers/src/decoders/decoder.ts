/** Turns tokens back into text. */
export interface Decoder {
  /** Gives texts that, one behind the other, are the text. */
  decode(tokens: readonly string[]): string[];
}

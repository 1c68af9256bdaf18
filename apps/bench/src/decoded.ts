/** Tokens and when each was there, in milliseconds. */
export interface Decoded {
  readonly ids: readonly number[];
  readonly times: readonly number[];
}

/** Decodes greedily after a prompt. */
export interface Decoder {
  decode(prompt: readonly number[], tokens: number): Promise<Decoded>;
  dispose(): Promise<unknown>;
}

/** Milliseconds a token, the first one left out, which waits for the prompt. */
export const msPerToken = ({ times }: Decoded): number =>
  (times.at(-1)! - times[0]!) / (times.length - 1);

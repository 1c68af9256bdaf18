import type { Tokenizer } from '@headwise/tokenizers';
import { StopTexts } from './stop-texts.js';

/** The text that a token makes certain, and the stop text where one came. */
export interface DecodedPiece {
  /** Never half a character or the beginning of a stop text. */
  text: string;
  /** The stop text that came, which is left out with all behind it. */
  stop: string | undefined;
  /** What the token makes certain of the text where stop texts are not looked at. */
  decoded: string;
}

/** Turns the new tokens of a sequence into text, one by one, up to the first stop text. */
export class TextDecoding {
  readonly #decoder: ReturnType<Tokenizer['decodeStream']>;
  readonly #stops: StopTexts;

  /**
   * @param prompt ids before the new tokens
   * @param stop texts that end the sequence
   * @throws InputError for an empty stop text
   */
  constructor(
    tokenizer: Tokenizer,
    prompt: readonly number[],
    stop: string | readonly string[] = [],
  ) {
    this.#stops = new StopTexts(typeof stop === 'string' ? [stop] : stop);
    this.#decoder = tokenizer.decodeStream();
    // What a token looks like may depend on those before it, such as a space between words.
    for (const id of prompt) this.#decoder.push(id);
  }

  /** @param id the next token */
  push(id: number): DecodedPiece {
    const decoded = this.#decoder.push(id);
    return { ...this.#stops.push(decoded), decoded };
  }

  /** The text that was held back, at the end of the sequence. */
  end(): DecodedPiece {
    const decoded = this.#decoder.end();
    const { text, stop } = this.#stops.push(decoded);
    return { text: stop === undefined ? text + this.#stops.end() : text, stop, decoded };
  }
}

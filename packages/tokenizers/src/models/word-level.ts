import type { Pieces } from '../text/pieces.js';
import type { Tokens } from '../text/tokens.js';
import type { Vocabulary } from '../vocabulary.js';
import { type Model, missingUnknown } from './model.js';

/** Each word is a token. */
export class WordLevel implements Model {
  readonly #unknown: number;

  constructor(
    readonly vocab: Vocabulary,
    readonly unknownToken: string,
  ) {
    this.#unknown = vocab.id(unknownToken) ?? -1;
  }

  /** @throws TokenizerError for a word outside the vocabulary where there is no unknown token */
  tokenize(pieces: Pieces, tokens: Tokens, firstWord: number): void {
    pieces.writeBytes();
    const { bounds } = pieces;
    const { units } = pieces.text;
    for (let i = 0; i < bounds.length; i += 2) {
      const start = bounds[i]!;
      const end = bounds[i + 1]!;
      const known = this.vocab.find(units, start, end);
      const id = known >= 0 ? known : this.#unknown;
      if (id < 0) throw missingUnknown(units, start, end, this.unknownToken);
      tokens.ids.push(id);
      tokens.bounds.push(start, end);
      tokens.words.push(firstWord + (i >> 1));
    }
  }

  toJSON(): Record<string, unknown> {
    return {
      type: 'WordLevel',
      vocab: Object.fromEntries(this.vocab.entries()),
      unk_token: this.unknownToken,
    };
  }
}

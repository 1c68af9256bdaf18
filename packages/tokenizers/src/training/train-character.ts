import { bpeJson, emptyFrame, specialTokenJson } from '../formats/frames.js';
import { eachText, type Texts } from '../string-lists.js';
import { Tokenizer } from '../tokenizer.js';
import { withUnknown } from './options.js';
import { idsOf } from './train-bpe.js';

export interface TrainCharacterOptions {
  /** What a character outside the vocabulary becomes; default `<unk>`. */
  unknownToken?: string | undefined;
  /** The first ids; default the unknown token. */
  specialTokens?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Makes a vocabulary of the characters of some texts, in the order of their code points.
 *
 * A character that it lacks becomes the unknown token.
 */
export async function trainCharacter(
  texts: Texts,
  { unknownToken = '<unk>', specialTokens = [], signal }: TrainCharacterOptions = {},
): Promise<Tokenizer> {
  const seen = new Set<string>();
  for await (const text of eachText(texts, signal)) for (const char of text) seen.add(char);
  const chars = [...seen].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  const first = withUnknown(specialTokens, unknownToken);
  return Tokenizer.fromJSON({
    ...emptyFrame(),
    added_tokens: first.map(specialTokenJson),
    decoder: { type: 'Fuse' },
    model: bpeJson(idsOf([...new Set([...first, ...chars])]), [], { unk_token: unknownToken }),
  });
}

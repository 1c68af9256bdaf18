import { GgufError } from '../errors.js';
import type { Json } from './json.js';

/** The kinds of tokens, by the codes of llama.cpp. */
export const tokenTypes = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

/** The tokens of a vocabulary by id, with a kind and a score for each. */
export interface Tokens {
  texts: string[];
  types: Int32Array;
  scores: Float32Array;
}

/** Scores of SentencePiece's: of tokens that merges do not make, and of ids without a token. */
const [addedScore, unusedScore] = [-1000, -10_000];

/** A token between brackets that marks something, as llama.cpp's converter takes it for one. */
const looksSpecial = /^(?:<pad>|<mask>|<2mass>|\[@BOS@\]|<\|.*\|>|<｜.*｜>|<unused.*>)$/s;

/**
 * The tokens of a `tokenizer.json`, as many as the model has; ids without a token are `[PAD…]`.
 *
 * @param scoreOf the score of a token of the model's vocabulary
 * @throws GgufError where an id is beyond the model's vocabulary
 */
export function tokensOf(
  document: Json,
  vocabSize: number,
  scoreOf: (token: string, id: number) => number,
): Tokens {
  const tokens: Tokens = {
    texts: Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`),
    types: new Int32Array(vocabSize).fill(tokenTypes.unused),
    scores: new Float32Array(vocabSize).fill(unusedScore),
  };
  const set = (token: string, id: number, type: number, score: number) => {
    if (id >= vocabSize) {
      throw new GgufError(
        `tokenizer.json: '${token}' has the id ${id}; the model has ${vocabSize} tokens`,
      );
    }
    tokens.texts[id] = token;
    tokens.types[id] = type;
    tokens.scores[id] = score;
  };
  const model = document.model as Json;
  for (const [token, id] of entriesOf(model)) {
    set(token, id, typeOf(token, model, id), scoreOf(token, id));
  }
  for (const { content, id, special } of addedTokens(document)) {
    const control = special || looksSpecial.test(content);
    const text = control ? content : content.replaceAll('▁', ' ');
    const unknown = tokens.types[id] === tokenTypes.unknown;
    const type = control ? tokenTypes.control : tokenTypes.userDefined;
    set(text, id, unknown ? tokenTypes.unknown : type, addedScore);
  }
  return tokens;
}

/** An entry of `added_tokens`. */
export interface AddedEntry {
  id: number;
  content: string;
  special: boolean;
}

export const addedTokens = (document: Json): readonly AddedEntry[] =>
  (document.added_tokens as readonly AddedEntry[] | undefined) ?? [];

/** Tokens and ids: of an object, or of the list of pairs that Unigram has. */
function entriesOf({ vocab }: Json): [string, number][] {
  if (!Array.isArray(vocab)) return Object.entries(vocab as Record<string, number>);
  return vocab.map(([token]: [string, number], id) => [token, id]);
}

function typeOf(token: string, { unk_token, unk_id, byte_fallback }: Json, id: number): number {
  if (token === unk_token || id === unk_id) return tokenTypes.unknown;
  return byte_fallback && /^<0x[0-9A-F]{2}>$/.test(token) ? tokenTypes.byte : tokenTypes.normal;
}

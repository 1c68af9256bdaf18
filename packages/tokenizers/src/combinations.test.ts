import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fromSentencePiece } from './formats/sentencepiece.js';
import { bytesOf, readGolden } from './goldens/read.node.js';
import { Tokenizer } from './tokenizer.js';

/** What the reference gives for one text; what follows from the ids, or is all 0, is left out. */
interface Case {
  text: string;
  ids: number[];
  /** Left out where the reference shifts them. */
  offsets?: number[];
  words: (number | null)[];
  types?: number[];
  special?: number[];
  tokens?: string[];
  decoded: string | null;
  /** Decoded with special tokens, where that is another text. */
  whole?: string | null;
  /** The ids without the special tokens of the post-processor, where these are others. */
  plain?: number[] | null;
}

interface Pair {
  texts: [string, string];
  ids: number[];
  types: number[];
  words: (number | null)[];
  special: number[];
  attention: number[];
  overflowing?: number[][];
}

interface Combination {
  name: string;
  /** A model of the golden, and options over it; without it, `config` has a model. */
  model?: string;
  options?: object;
  config: Record<string, unknown>;
  cases: Case[];
  pairs: Pair[];
}

interface Goldens {
  models: Record<string, object>;
  combinations: Combination[];
}

const large = process.env.HEADWISE_TOKENIZER_COMBINATIONS;
const goldens = large
  ? (JSON.parse(readFileSync(large, 'utf8')) as Goldens)
  : readGolden<Goldens>('combinations');

/** SentencePiece's nmt_nfkc, for which the golden has the name of the file that holds it. */
const charsMap = (): unknown =>
  JSON.stringify(fromSentencePiece(bytesOf('unigram.model')).toJSON()).match(
    /"precompiled_charsmap":("[^"]*")/,
  )![1];

const table = charsMap();

function configOf({ model, options, config }: Combination): Record<string, unknown> {
  const whole =
    model === undefined ? config : { ...config, model: { ...goldens.models[model], ...options } };
  return JSON.parse(JSON.stringify(whole).replaceAll('"unigram.model"', () => String(table)));
}

test.each(goldens.combinations)('$name: as the reference', (combination) => {
  const tokenizer = Tokenizer.fromBytes(
    new TextEncoder().encode(JSON.stringify(configOf(combination))),
  );
  for (const expected of combination.cases) {
    const { whole, plain, ...rest } = expected;
    const { text, ids, types, special, tokens, decoded } = rest;
    const encoding = tokenizer.encode(text);
    expect({
      text,
      ids: encoding.ids,
      ...(expected.offsets && { offsets: encoding.offsets.flat() }),
      words: encoding.wordIds,
      types: encoding.typeIds,
      special: encoding.specialTokensMask,
      tokens: encoding.tokens,
      // Where the reference panics there is nothing to compare with.
      decoded: decoded === null ? null : tokenizer.decode(encoding.ids),
    }).toEqual({
      ...rest,
      types: types ?? ids.map(() => 0),
      special: special ?? ids.map(() => 0),
      tokens: tokens ?? ids.map((id) => tokenizer.idToToken(id)),
    });
    if (whole) {
      expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(whole);
    }
    if (plain) expect(tokenizer.encode(text, { addSpecialTokens: false }).ids).toEqual(plain);
  }
  for (const { overflowing = [], ...expected } of combination.pairs) {
    const { texts } = expected;
    const encoding = tokenizer.encodePair(...texts);
    expect({
      texts,
      ids: encoding.ids,
      types: encoding.typeIds,
      words: encoding.wordIds,
      special: encoding.specialTokensMask,
      attention: encoding.attentionMask,
    }).toEqual(expected);
    expect(encoding.overflowing.map(({ ids }) => ids)).toEqual(overflowing);
  }
});

import { expect, test } from 'vitest';
import type { Encoding } from './encoding.js';
import { hardTexts, readGolden } from './goldens/read.node.js';
import { Tokenizer } from './tokenizer.js';

/** What the reference gives for one text or pair. */
interface Described {
  ids: number[];
  tokens: string[];
  offsets: number[];
  words: (number | null)[];
  types: number[];
  special: number[];
  attention: number[];
  overflowing?: Described[];
}

interface Goldens {
  pair: [string, string];
  parts: {
    name: string;
    config: unknown;
    cases: (Described & { text: string; decoded: string | null })[];
    pairs: Described[];
    batch: number[][];
  }[];
}

const described = (encoding: Encoding): Described => ({
  ids: encoding.ids,
  tokens: encoding.tokens,
  offsets: encoding.offsets.flat(),
  words: encoding.wordIds,
  types: encoding.typeIds,
  special: encoding.specialTokensMask,
  attention: encoding.attentionMask,
  ...(encoding.overflowing.length > 0 && { overflowing: encoding.overflowing.map(described) }),
});

const goldens = readGolden<Goldens>('parts');
/** The reference leaves the types of overflowing parts as they were, and nests parts that its pairs repeat. */
const comparable = ({ overflowing, ...all }: Described): unknown => ({
  ...all,
  overflowing: overflowing?.map(({ types: _, overflowing: __, ...part }) => part) ?? [],
});

const texts = new Map(hardTexts().map(({ name, text }) => [name, text]));

test.each(goldens.parts)('$name: as the reference', ({ config, cases, pairs, batch }) => {
  const tokenizer = Tokenizer.fromJSON(config);
  for (const { text, decoded, ...expected } of cases) {
    const encoding = tokenizer.encode(texts.get(text)!);
    expect({ text, value: comparable(described(encoding)) }).toEqual({
      text,
      value: comparable(expected),
    });
    // Where the reference panics there is nothing to compare with.
    if (decoded !== null) expect([text, tokenizer.decode(encoding.ids)]).toEqual([text, decoded]);
  }
  const [first, second] = goldens.pair;
  for (const [i, texts] of [[first, second] as const, [second, first] as const].entries()) {
    const encoding = tokenizer.encodePair(...texts);
    expect(comparable(described(encoding))).toEqual(comparable(pairs[i]!));
  }
  expect(tokenizer.encodeBatch([first, second]).map(({ ids }) => ids)).toEqual(batch);
});

test.each(goldens.parts)('$name: toJSON gives the same tokenizer again', ({ config, cases }) => {
  const tokenizer = Tokenizer.fromJSON(config);
  const bytes = new TextEncoder().encode(JSON.stringify(tokenizer.toJSON()));
  const again = Tokenizer.fromBytes(bytes);
  for (const { text } of cases) {
    expect(described(again.encode(texts.get(text)!))).toEqual(
      described(tokenizer.encode(texts.get(text)!)),
    );
  }
  expect(again.toJSON()).toEqual(tokenizer.toJSON());
});

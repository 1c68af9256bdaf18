import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { fromSentencePiece } from './formats/sentencepiece.js';
import { corpusLines } from './goldens/corpus.node.js';
import { bert, bytesOf, hardTexts, published, readGolden } from './goldens/read.node.js';
import type { Tokenizer } from './tokenizer.js';

vi.setConfig({ testTimeout: 60_000 });

const lines = corpusLines();
const hard = hardTexts();

/** What the reference makes of the corpus and of the hard texts. */
interface Golden {
  ids: string[];
  offsets: string[];
  hard: {
    name: string;
    ids: number[];
    offsets: string;
    tokens: string;
    words: string;
    decoded: string;
  }[];
}

const tokenizers: Record<string, () => Tokenizer> = {
  gpt2: () => published('gpt2'),
  llama2: () => published('llama2'),
  llama3: () => published('llama3'),
  gemma3: () => published('gemma3'),
  bert,
  unigram: () =>
    fromSentencePiece(bytesOf('unigram.model'), 'unigram.model', { as: 'transformers' }),
};

const digest = (texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16);

const flat = (offsets: readonly [number, number][]): string =>
  offsets.map(([start, end]) => `${start}-${end}`).join(',');

describe.each(Object.keys(tokenizers))('%s', (name) => {
  const tokenizer = tokenizers[name]!();
  const golden = readGolden<Golden>(name);

  test('ids and offsets of the corpus are those of the reference, 100 lines at a time', () => {
    expect(lines.length).toBeGreaterThan(20_000);
    golden.ids.forEach((ids, i) => {
      const block = lines.slice(100 * i, 100 * i + 100).map((line) => tokenizer.encode(line));
      const own = {
        ids: digest(block.map((encoding) => encoding.ids.join(','))),
        offsets: digest(block.map((encoding) => flat(encoding.offsets))),
      };
      expect({ block: i, ...own }).toEqual({ block: i, ids, offsets: golden.offsets[i] });
    });
  });

  test('the hard texts are those of the reference, token by token', () => {
    golden.hard.forEach((expected, i) => {
      const { name: textName, text } = hard[i]!;
      const encoding = tokenizer.encode(text);
      expect({
        name: textName,
        ids: encoding.ids,
        offsets: digest([flat(encoding.offsets)]),
        tokens: digest(encoding.tokens),
        words: digest([encoding.wordIds.map((word) => word ?? '').join(',')]),
        decoded: tokenizer.decode(encoding.ids),
      }).toEqual(expected);
    });
  });

  test('a stream of tokens decodes to the same text', () => {
    for (const { ids, decoded } of golden.hard) {
      const stream = tokenizer.decodeStream();
      const pieces = ids.map((id) => stream.push(id));
      expect(pieces.join('') + stream.end()).toBe(decoded);
    }
  });
});

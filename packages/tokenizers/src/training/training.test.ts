import { describe, expect, test, vi } from 'vitest';
import { fromVocabTxt } from '../formats/vocab-txt.js';
import { corpusLines } from '../goldens/corpus.node.js';
import { hardTexts, readGolden } from '../goldens/read.node.js';
import type { Texts } from '../string-lists.js';
import { Tokenizer } from '../tokenizer.js';
import type { MergeOptions } from './options.js';
import { trainBpe, trainByteLevelBpe } from './train-bpe.js';
import { trainCharacter } from './train-character.js';
import { trainUnigram } from './train-unigram.js';
import { trainBertWordPiece, trainWordPiece } from './train-word-piece.js';

vi.setConfig({ testTimeout: 120_000 });

interface Golden {
  byteBpe: { vocab: string[]; merges: string[] };
  bpe: { vocab: string[]; merges: string[] };
  wordPiece: { vocabs: string[][] };
  unigram: { pieces: string[]; tokens: number };
}

const golden = readGolden<Golden>('training');
const lines = corpusLines();

const modelOf = (tokenizer: Tokenizer) =>
  tokenizer.toJSON().model as { vocab: Record<string, number>; merges: [string, string][] };

const tokensOf = (tokenizer: Tokenizer): string[] =>
  Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id)!);

const mergesOf = (tokenizer: Tokenizer): string[] =>
  modelOf(tokenizer).merges.map((merge) => merge.join(' '));

describe('as the references learn from Moby-Dick', () => {
  test('byte-level BPE: the same 8,000 merges, the same ids', async () => {
    const tokenizer = await trainByteLevelBpe(lines, { vocabSize: 8256 });
    expect(golden.byteBpe.merges.length).toBe(8000);
    expect(mergesOf(tokenizer)).toEqual(golden.byteBpe.merges);
    expect(tokensOf(tokenizer)).toEqual(golden.byteBpe.vocab);
  });

  test('BPE with a least frequency, special tokens and a limited alphabet: the same merges and ids', async () => {
    const tokenizer = await trainBpe(lines, {
      vocabSize: 3000,
      minFrequency: 3,
      specialTokens: ['<unk>', '<s>'],
      limitAlphabet: 60,
      preTokenizer: { type: 'Whitespace' },
    });
    expect(mergesOf(tokenizer)).toEqual(golden.bpe.merges);
    expect(tokensOf(tokenizer)).toEqual(golden.bpe.vocab);
  });

  // The reference numbers `##a` to `##z` in the order of a hash table, and breaks ties by these numbers: its own
  // vocabularies differ from run to run.
  test('WordPiece: all but a token in a thousand', async () => {
    const tokenizer = await trainWordPiece(lines, {
      vocabSize: 3000,
      preTokenizer: { type: 'Whitespace' },
    });
    for (const vocab of golden.wordPiece.vocabs) {
      expect(overlap(tokensOf(tokenizer), vocab)).toBeGreaterThanOrEqual(0.999);
    }
  });

  test('Unigram: 95 % of the pieces of SentencePiece, and within 1 % as many tokens', async () => {
    const tokenizer = await trainUnigram(lines, {
      vocabSize: 8000,
      specialTokens: ['<unk>', '<s>', '</s>'],
    });
    expect(tokenizer.vocabSize).toBe(8000);
    expect(overlap(tokensOf(tokenizer), golden.unigram.pieces)).toBeGreaterThanOrEqual(0.95);
    const tokens = lines.reduce((sum, line) => sum + tokenizer.encode(line).length, 0);
    expect(Math.abs(tokens / golden.unigram.tokens - 1)).toBeLessThan(0.01);
  });
});

test("BERT's tokenizer is the one that vocab.txt gives with the learned tokens", async () => {
  const few = lines.slice(0, 200);
  for (const lowercase of [true, false]) {
    const tokenizer = await trainBertWordPiece(few, { vocabSize: 400, lowercase });
    const vocabTxt = tokensOf(tokenizer).join('\n');
    expect(tokenizer.toJSON()).toEqual(fromVocabTxt(vocabTxt, { lowercase }).toJSON());
    const pair = tokenizer.encodePair('The whale', 'the').tokens;
    expect([pair[0], pair.at(-1), pair.filter((token) => token === '[SEP]').length]).toEqual([
      '[CLS]',
      '[SEP]',
      2,
    ]);
    expect(tokenizer.tokenToId('The') === undefined).toBe(lowercase);
  }
});

function overlap(own: readonly string[], reference: readonly string[]): number {
  const known = new Set(own);
  return reference.filter((token) => known.has(token)).length / reference.length;
}

type Train = (texts: Texts, options: MergeOptions) => Promise<Tokenizer>;
const trainings: [string, Train][] = [
  ['trainByteLevelBpe', trainByteLevelBpe],
  ['trainBpe', trainBpe],
  ['trainWordPiece', trainWordPiece],
  ['trainUnigram', trainUnigram],
  ['trainCharacter', (texts, { vocabSize: _, ...options }) => trainCharacter(texts, options)],
];

describe.each(trainings)('%s', (name, train) => {
  const texts = lines.slice(100, 400);

  test('learns from an async iterable, and saves as JSON that encodes the same', async () => {
    async function* stream() {
      yield* texts;
    }
    const tokenizer = await train(stream(), { vocabSize: 500 });
    const again = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)));
    for (const text of [...texts, ...hardTexts().map((hard) => hard.text)]) {
      const [own, other] = [tokenizer.encode(text), again.encode(text)];
      expect([other.ids, other.offsets]).toEqual([own.ids, own.offsets]);
    }
    for (const text of texts.slice(0, 50)) {
      const decoded = tokenizer.decode(tokenizer.encode(text).ids);
      // WordPiece does not keep white space.
      if (name !== 'trainWordPiece') expect(decoded).toBe(text);
    }
  });

  test('stops when it is told to', async () => {
    const controller = new AbortController();
    const stop = new Error('enough');
    async function* stream() {
      yield* texts;
      controller.abort(stop);
      yield 'one more';
    }
    const signal = controller.signal;
    await expect(train(stream(), { vocabSize: 500, signal })).rejects.toBe(stop);
  });

  if (name === 'trainCharacter') return;

  test('stops between merges, and tells how far it is', async () => {
    const controller = new AbortController();
    const told: [number, number][] = [];
    const training = train(texts, {
      vocabSize: 500,
      signal: controller.signal,
      onProgress: (done, total) => {
        told.push([done, total]);
        controller.abort();
      },
    });
    await expect(training).rejects.toThrow('aborted');
    expect(told.length).toBe(1);
    expect(told[0]![0]).toBeLessThanOrEqual(told[0]![1]);
  });

  test.each([0, 10, 2.5, Number.NaN])('refuses a vocabulary of %s', async (vocabSize) => {
    await expect(train(texts, { vocabSize })).rejects.toThrow(
      `vocabSize is ${vocabSize}; expected at least`,
    );
  });

  test('special tokens have the first ids', async () => {
    const specialTokens = ['<a>', '<unk>', '[UNK]', '<b>'];
    const tokenizer = await train(texts, { vocabSize: 500, specialTokens });
    expect(specialTokens.map((token) => tokenizer.tokenToId(token))).toEqual([0, 1, 2, 3]);
    expect(tokenizer.encode('x<b>').ids.at(-1)).toBe(3);
  });
});

test('the most frequent pair is merged first, lower ids first among equals', async () => {
  const tokenizer = await trainBpe(['ab ab cd cd ef'], {
    vocabSize: 100,
    preTokenizer: { type: 'Whitespace' },
  });
  expect(mergesOf(tokenizer)).toEqual(['a b', 'c d', 'e f']);
  const twice = await trainBpe(['ab ab cd cd ef'], {
    vocabSize: 100,
    minFrequency: 2,
    preTokenizer: { type: 'Whitespace' },
  });
  expect(mergesOf(twice)).toEqual(['a b', 'c d']);
});

test('initial characters are there although the texts lack them', async () => {
  const tokenizer = await trainBpe(['aaa b'], {
    vocabSize: 6,
    limitAlphabet: 3,
    initialAlphabet: ['z', 'y'],
  });
  expect(tokensOf(tokenizer)).toEqual(['<unk>', 'a', 'y', 'z', 'aa', 'aaa']);
});

import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { corpusLines } from '../goldens/corpus.node.js';
import { bert, bytesOf, hardTexts, published, readGolden } from '../goldens/read.node.js';
import { unitToByte } from '../text/bytes.js';
import type { Tokenizer } from '../tokenizer.js';
import { fromSentencePiece } from './sentencepiece.js';
import { fromTiktoken } from './tiktoken.js';
import { fromVocabAndMerges } from './vocab-and-merges.js';
import { fromVocabTxt } from './vocab-txt.js';

vi.setConfig({ testTimeout: 60_000 });

const texts = [...hardTexts().map(({ text }) => text), ...corpusLines().slice(0, 300)];

interface Model {
  vocab: Record<string, number>;
  merges: [string, string][];
}

function expectSame(own: Tokenizer, other: Tokenizer): void {
  for (const text of texts) {
    const [a, b] = [own, other].map((tokenizer) => {
      const { ids, offsets } = tokenizer.encode(text);
      return `${ids}; ${offsets}`;
    });
    if (a !== b) expect(a, text).toBe(b);
  }
}

test('vocab.json and merges.txt are the tokenizer.json of GPT-2', () => {
  const gpt2 = published('gpt2');
  const { vocab, merges } = (gpt2.toJSON() as { model: Model }).model;
  const mergesText = `#version: 0.2\n${merges.map((pair) => pair.join(' ')).join('\n')}\n`;
  expectSame(fromVocabAndMerges(JSON.stringify(vocab), mergesText), gpt2);
});

test('vocab.txt is the tokenizer.json of BERT', () => {
  const vocabTxt = new TextDecoder().decode(bytesOf('bert-vocab.txt'));
  expectSame(fromVocabTxt(vocabTxt), bert());
});

test('tiktoken ranks are the tokenizer.json of Llama 3', () => {
  const base64 = (token: string) =>
    Buffer.from(Array.from(token, (char) => unitToByte[char.charCodeAt(0)]!)).toString('base64');
  const llama3 = published('llama3');
  const json = llama3.toJSON() as {
    model: Model;
    pre_tokenizer: { pretokenizers: [{ pattern: { Regex: string } }] };
  };
  const ranks = Object.entries(json.model.vocab)
    .map(([token, id]) => `${base64(token)} ${id}\n`)
    .join('');
  const own = fromTiktoken(ranks, {
    pattern: json.pre_tokenizer.pretokenizers[0].pattern.Regex,
    specialTokens: Object.fromEntries(llama3.addedTokens.map(({ content, id }) => [content, id])),
  });
  expectSame(own, llama3);
});

test.each(['unigram', 'bpe'] as const)(
  'a SentencePiece %s model gives what SentencePiece gives',
  (name) => {
    const tokenizer = fromSentencePiece(bytesOf(`${name}.model`), `${name}.model`);
    const lines = corpusLines();
    readGolden<Record<string, string[]>>('sentencepiece')[name]!.forEach((expected, i) => {
      const ids = lines
        .slice(100 * i, 100 * i + 100)
        .map((line) => tokenizer.encode(line).ids.join(','));
      const digest = createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 16);
      expect([i, digest]).toEqual([i, expected]);
    });
  },
);

test.each<[string, () => unknown, string]>([
  ['vocab.json: no JSON', () => fromVocabAndMerges('{', ''), 'vocab.json: is not JSON'],
  [
    'vocab.json: an array',
    () => fromVocabAndMerges('[]', ''),
    'vocab.json is []; expected an object',
  ],
  [
    'merges.txt: one token',
    () => fromVocabAndMerges('{"a":0}', '#version: 0.2\na\n'),
    `merges.txt: line 2 is "a"; expected two tokens`,
  ],
  [
    'merges.txt: an unknown token',
    () => fromVocabAndMerges('{"a":0,"b":1}', 'a b'),
    "model.merges[0] is 'a b'; the vocabulary lacks 'ab'",
  ],
  [
    'vocab.txt: twice',
    () => fromVocabTxt('a\nb\na\n'),
    "line 3 is 'a'; expected another token than on line 1",
  ],
  ['vocab.txt: no [SEP]', () => fromVocabTxt('[UNK]\n[CLS]\n'), "has no line '[SEP]'"],
  ['tiktoken: no rank', () => fromTiktoken('YQ== 0\nYg==\n'), "line 2 is 'Yg=='; expected a token"],
  ['tiktoken: not base64', () => fromTiktoken('Y= 0\n'), "line 1 is 'Y='; expected base64"],
  [
    'SentencePiece: text',
    () => fromSentencePiece(new TextEncoder().encode('hello')),
    'is not a SentencePiece model',
  ],
  ['SentencePiece: nothing', () => fromSentencePiece(new Uint8Array()), 'has no pieces'],
  [
    'SentencePiece: cut off',
    () => fromSentencePiece(bytesOf('bpe.model').subarray(0, 1000)),
    'is not a SentencePiece model',
  ],
])('%s', (_, load, message) => {
  expect(load).toThrow(message);
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fromVocabAndMerges, TokenizerError } from './index.js';
import { loadTokenizer, saveTokenizer } from './node.js';

function folderOf(...names: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-tokenizers-'));
  for (const name of names) writeFileSync(join(folder, name), '');
  return folder;
}

const whyNot = (path: string) =>
  loadTokenizer(path).then(
    () => 'nothing',
    (error: Error) => {
      expect(error).toBeInstanceOf(TokenizerError);
      return error.message;
    },
  );

test('a tokenizer is read from its file, and from the folder of a model', async () => {
  const folder = folderOf();
  const path = join(folder, 'tokenizer.json');
  const vocab = '{"a":0,"b":1,"ab":2,"<|endoftext|>":3}';
  await saveTokenizer(fromVocabAndMerges(vocab, 'a b\n'), path);
  for (const place of [path, folder, `${folder}/`]) {
    expect((await loadTokenizer(place)).encode('abba').ids).toEqual([2, 1, 0]);
  }
});

test('a folder without one is named, with what would serve', async () => {
  const bare = folderOf('config.json', 'model.safetensors');
  const expected =
    `${bare}: has no tokenizer.json; expected one, as transformers' AutoTokenizer.from_pretrained(…).save_pretrained(…) ` +
    'writes it, or as saveTokenizer does, made of vocab.json and merges.txt with fromVocabAndMerges; or of vocab.txt with ' +
    'fromVocabTxt; or of a SentencePiece model (tokenizer.model, spiece.model) with fromSentencePiece; or of a .tiktoken ' +
    'file with fromTiktoken';
  expect(await whyNot(bare)).toBe(expected);
  expect(await whyNot(join(bare, 'tokenizer.json'))).toBe(expected);
  const gpt2 = folderOf('merges.txt', 'vocab.json', 'config.json');
  expect(await whyNot(gpt2)).toMatch(
    /has no tokenizer\.json, but merges\.txt, vocab\.json; .* made of vocab\.json and merges\.txt with fromVocabAndMerges$/,
  );
  const t5 = folderOf('spiece.model');
  expect(await whyNot(t5)).toMatch(
    /has no tokenizer\.json, but spiece\.model; .*fromSentencePiece$/,
  );
});

test('a path where nothing is, and a file that is none', async () => {
  const folder = folderOf('text.txt');
  const nowhere = join(folder, 'nowhere');
  expect(await whyNot(nowhere)).toBe(
    `${nowhere}: is missing; expected a tokenizer.json, or a folder that holds one`,
  );
  expect(await whyNot(join(nowhere, 'tokenizer.json'))).toBe(
    `${nowhere}: is not a folder that can be read; expected one that holds tokenizer.json`,
  );
  expect(await whyNot(join(folder, 'text.txt'))).toMatch(/text\.txt: is not JSON/);
});

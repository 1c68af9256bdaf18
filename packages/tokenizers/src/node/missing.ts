import { readdir } from 'node:fs/promises';
import { TokenizerError } from '../errors.js';

/** Other files that hold a tokenizer, and what reads them. */
const others: readonly { files: string; matches: RegExp; read: string }[] = [
  {
    files: 'vocab.json and merges.txt',
    matches: /^(vocab\.json|merges\.txt)$/,
    read: 'fromVocabAndMerges',
  },
  { files: 'vocab.txt', matches: /^vocab\.txt$/, read: 'fromVocabTxt' },
  {
    files: 'a SentencePiece model (tokenizer.model, spiece.model)',
    matches: /\.model$/,
    read: 'fromSentencePiece',
  },
  { files: 'a .tiktoken file', matches: /\.tiktoken$/, read: 'fromTiktoken' },
];

/** Says that a folder has no `tokenizer.json`, what it has instead, and how one is made. */
export async function noTokenizerIn(folder: string): Promise<TokenizerError> {
  const names = await readdir(folder).catch(() => undefined);
  if (!names) {
    return new TokenizerError(
      `${folder}: is not a folder that can be read; expected one that holds tokenizer.json`,
    );
  }
  const found = names.filter((name) => others.some(({ matches }) => matches.test(name))).sort();
  const there = others.filter(({ matches }) => found.some((name) => matches.test(name)));
  const made = (there.length > 0 ? there : others).map(
    ({ files, read }) => `${files} with ${read}`,
  );
  return new TokenizerError(
    `${folder}: has no tokenizer.json${found.length > 0 ? `, but ${found.join(', ')}` : ''}; expected one, as transformers' ` +
      `AutoTokenizer.from_pretrained(…).save_pretrained(…) writes it, or as saveTokenizer does, made of ${made.join('; or of ')}`,
  );
}

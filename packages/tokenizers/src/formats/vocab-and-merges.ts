import { asText, type Bytes } from '../as-bytes.js';
import { TokenizerError } from '../errors.js';
import { mismatch } from '../fields.js';
import { stringList } from '../string-lists.js';
import { Tokenizer } from '../tokenizer.js';
import { bpeJson, byteLevelFrame, specialTokenJson } from './frames.js';

/**
 * Makes GPT-2's kind of tokenizer, byte-level BPE, of its `vocab.json` and `merges.txt`, their texts or
 * their bytes.
 *
 * @param specialTokens tokens of the vocabulary that stand for themselves in a text
 * @throws TokenizerError naming the file, the line and what was expected
 */
export function fromVocabAndMerges(
  vocabJson: string | Bytes,
  mergesText: string | Bytes,
  { specialTokens = ['<|endoftext|>'] }: { specialTokens?: readonly string[] | undefined } = {},
): Tokenizer {
  const json = asText(vocabJson, 'vocab.json');
  let vocab: unknown;
  try {
    vocab = JSON.parse(json);
  } catch (error) {
    throw new TokenizerError(`vocab.json: is not JSON: ${(error as Error).message}`);
  }
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) {
    throw mismatch('vocab.json', vocab, 'an object of tokens and ids');
  }
  const ids = vocab as Record<string, number>;
  const merges = asText(mergesText, 'merges.txt')
    .split('\n')
    .flatMap((line, i): [string, string][] => {
      const text = line.replace(/\r$/, '');
      if (text === '' || (i === 0 && text.startsWith('#version'))) return [];
      const [left, right, more] = text.split(' ');
      if (!left || !right || more !== undefined) {
        throw mismatch(`merges.txt: line ${i + 1}`, text, 'two tokens');
      }
      return [[left, right]];
    });
  const special = stringList(specialTokens, 'specialTokens').filter((token) =>
    Object.hasOwn(ids, token),
  );
  return Tokenizer.fromJSON(
    {
      ...byteLevelFrame(),
      added_tokens: special.map((token) => specialTokenJson(token, ids[token]!)),
      model: bpeJson(ids, merges),
    },
    'vocab.json and merges.txt',
  );
}

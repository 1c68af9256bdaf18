import { asText, type Bytes } from '../as-bytes.js';
import { TokenizerError } from '../errors.js';
import { Tokenizer } from '../tokenizer.js';
import { bertJson } from './frames.js';

/**
 * Makes BERT's tokenizer, WordPiece, of its `vocab.txt`, its text or its bytes: a token a line, its id the number of the line.
 *
 * @param lowercase as the uncased models; default true
 * @throws TokenizerError where a token that BERT needs is missing, or one stands twice
 */
export function fromVocabTxt(
  vocabTxt: string | Bytes,
  { lowercase = true }: { lowercase?: boolean | undefined } = {},
): Tokenizer {
  const lines = asText(vocabTxt, 'vocab.txt')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  const vocab = new Map<string, number>();
  lines.forEach((token, id) => {
    const other = vocab.get(token);
    if (other !== undefined) {
      throw new TokenizerError(
        `vocab.txt: line ${id + 1} is '${token}'; expected another token than on line ${other + 1}`,
      );
    }
    vocab.set(token, id);
  });
  const idOf = (token: string): number => {
    const id = vocab.get(token);
    if (id === undefined) throw new TokenizerError(`vocab.txt: has no line '${token}'`);
    return id;
  };
  return Tokenizer.fromJSON(bertJson(vocab, idOf, lowercase), 'vocab.txt');
}

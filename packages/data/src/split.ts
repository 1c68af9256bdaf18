import { DataError } from './errors.js';
import type { TokenIds } from './ids.js';

/** A corpus split into training and validation tokens. */
export interface Split<Corpus> {
  train: Corpus;
  validation: Corpus;
}

/**
 * Cuts the tail off a corpus for validation.
 *
 * A text is cut at the start of a line near the asked point, else of a word, else between two characters; both parts
 * together are the corpus. Token ids are cut at the point itself, and both parts are views of the same memory.
 * @param options `validation` is the share of characters or ids in the tail, from 0 to below 1
 * @throws DataError when the corpus is empty, the share is out of range, or a part of it would be empty
 */
export function splitCorpus(corpus: string, options: { validation: number }): Split<string>;
export function splitCorpus<Ids extends TokenIds>(
  corpus: Ids,
  options: { validation: number },
): Split<Ids>;
export function splitCorpus(
  corpus: string | TokenIds,
  { validation }: { validation: number },
): Split<string | TokenIds> {
  if (!(validation >= 0 && validation < 1)) {
    throw new DataError(`validation is ${validation}, expected a share from 0 to below 1`);
  }
  const { length } = corpus;
  if (length === 0) throw new DataError('the corpus is empty, expected text or token ids');
  const cut = cutPoint(corpus, Math.round(length * validation));
  if (validation > 0 && (cut === 0 || cut === length)) {
    const unit = typeof corpus === 'string' ? 'characters' : 'tokens';
    throw new DataError(
      `a validation share of ${validation} leaves one part of a corpus of ${length} ${unit} empty`,
    );
  }
  return typeof corpus === 'string'
    ? { train: corpus.slice(0, cut), validation: corpus.slice(cut) }
    : { train: corpus.subarray(0, cut), validation: corpus.subarray(cut) };
}

/** Where the last `tail` elements begin, moved to a boundary within a tenth of them in a text. */
function cutPoint(corpus: string | TokenIds, tail: number): number {
  const point = corpus.length - tail;
  if (typeof corpus !== 'string' || tail === 0 || point === 0) return point;
  const reach = Math.ceil(tail / 10);
  // Both parts keep a character: a break counts from the first character to the last but one.
  const from = Math.max(point - reach, 1) - 1;
  const near = corpus.slice(from, Math.min(point + reach, corpus.length - 1));
  for (const breaks of [/\n/g, /\s(?=\S)/g]) {
    const starts = [...near.matchAll(breaks)].map((match) => from + match.index + 1);
    if (starts.length > 0) {
      return starts.reduce((a, b) => (Math.abs(b - point) < Math.abs(a - point) ? b : a));
    }
  }
  return isInsidePair(corpus, point) ? point - 1 : point;
}

/** Whether a cut here would part the two halves of a character above U+FFFF. */
function isInsidePair(text: string, point: number): boolean {
  return text.codePointAt(point - 1)! > 0xffff;
}

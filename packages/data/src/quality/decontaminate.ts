import { simplifyText } from '../dedup/simplify-text.js';
import { highWord, xxhash64 } from '../dedup/xxhash64.js';
import { ruleStep, type Step } from '../documents/step.js';
import { checkWhole, DataError } from '../errors.js';
import { englishWords } from '../text/english-words.js';

/** An example of an evaluation set. */
export interface EvaluationExample {
  /** The set's name, which the rule names. */
  readonly task: string;
  /** The answer, or the whole example. */
  readonly text: string;
  /** What stands before it: the question. */
  readonly query?: string | undefined;
}

/** Options of `decontaminate`. */
export interface DecontaminateOptions {
  /** Words of an n-gram. Default 13, as GPT-3; datatrove's is 12. */
  readonly words?: number | undefined;
  /** Compares n-grams of queries alone too. Default true, as GPT-3; datatrove's is false. */
  readonly queries?: boolean | undefined;
  /** Compares n-grams that begin in a query and end in its text. Default true. */
  readonly overlaps?: boolean | undefined;
}

export const decontaminateDefaults: { words: number; queries: boolean; overlaps: boolean } = {
  words: 13,
  queries: true,
  overlaps: true,
};

/**
 * Drops documents that share an n-gram of words with an evaluation set: rule `contaminated: TASK`.
 *
 * Texts are compared when simplified, as near-duplicates are, so that case, punctuation, digits and diacritics do not count. Hashes of 53 bits
 * are held, about 40 bytes for each n-gram of the sets.
 *
 * @throws DataError where no example has as many words
 * @see Brown et al. 2020, appendix C: https://arxiv.org/abs/2005.14165; datatrove's `NGramsDecontFilter`
 */
export function decontaminate(
  examples: Iterable<EvaluationExample>,
  options: DecontaminateOptions = {},
): Step {
  const {
    words: length = decontaminateDefaults.words,
    queries = decontaminateDefaults.queries,
    overlaps = decontaminateDefaults.overlaps,
  } = options;
  checkWhole('words', length, 1);
  const tasks = new Map<number, string>();
  const add = (words: readonly string[], task: string) => {
    for (const key of keysOf(words, length)) if (!tasks.has(key)) tasks.set(key, task);
  };
  for (const { task, text, query } of examples) {
    const answer = wordsOf(text);
    add(answer, task);
    if (query === undefined) continue;
    const question = wordsOf(query);
    if (queries) add(question, task);
    if (overlaps)
      add([...question.slice(1 - length || question.length), ...answer.slice(0, length - 1)], task);
  }
  if (tasks.size === 0) {
    throw new DataError(`decontaminate: no example has ${length} words, expected at least one`);
  }
  return ruleStep('decontaminate', (document) => {
    for (const key of keysOf(wordsOf(document.text), length)) {
      const task = tasks.get(key);
      if (task !== undefined) return `contaminated: ${task}`;
    }
    return document;
  });
}

const wordsOf = (text: string): string[] => englishWords(simplifyText(text));

const encoder = new TextEncoder();
let bytes = new Uint8Array(2 ** 16);

/** 53 bits of the XXH64 of each n-gram, its words joined by spaces. */
function* keysOf(words: readonly string[], length: number): Generator<number> {
  if (words.length < length) return;
  const text = words.join(' ');
  if (3 * text.length > bytes.length) bytes = new Uint8Array(6 * text.length);
  const { written } = encoder.encodeInto(text, bytes);
  const starts = [0];
  for (let at = 0; at < written; at++) if (bytes[at] === 0x20) starts.push(at + 1);
  for (let first = 0; first + length <= starts.length; first++) {
    const end = first + length < starts.length ? starts[first + length]! - 1 : written;
    const low = xxhash64(bytes, starts[first]!, end) >>> 0;
    yield (highWord() & 0x1fffff) * 2 ** 32 + low;
  }
}

import { ruleStep, type Step } from '../documents/step.js';
import { codePoints, trim } from '../text/characters.js';
import { englishWords } from '../text/english-words.js';
import { above } from './bounds.js';
import { duplicatesOf, JoinedWords } from './duplicates.js';

/** The bounds of {@link gopherRepetition}, as shares; `null` turns a rule off. */
export interface GopherRepetitionOptions {
  /** Lines that repeat an earlier one, of all lines; default 0.3. */
  maxDuplicateLines: number | null;
  /** Paragraphs that repeat an earlier one, of all paragraphs; default 0.3. */
  maxDuplicateParagraphs: number | null;
  /** Characters within duplicate lines; default 0.2. */
  maxDuplicateLineCharacters: number | null;
  /** Characters within duplicate paragraphs; default 0.2. */
  maxDuplicateParagraphCharacters: number | null;
  /** `[n, share]`: characters within the most frequent n-gram; default 0.2, 0.18 and 0.16 for 2, 3 and 4 words. */
  maxTopNgramCharacters: readonly (readonly [n: number, share: number])[];
  /** `[n, share]`: characters within repeated n-grams; default 0.15 for 5 words to 0.1 for 10. */
  maxDuplicateNgramCharacters: readonly (readonly [n: number, share: number])[];
}

/** The published bounds. */
export const gopherRepetitionDefaults: GopherRepetitionOptions = {
  maxDuplicateLines: 0.3,
  maxDuplicateParagraphs: 0.3,
  maxDuplicateLineCharacters: 0.2,
  maxDuplicateParagraphCharacters: 0.2,
  maxTopNgramCharacters: [
    [2, 0.2],
    [3, 0.18],
    [4, 0.16],
  ],
  maxDuplicateNgramCharacters: [
    [5, 0.15],
    [6, 0.14],
    [7, 0.13],
    [8, 0.12],
    [9, 0.11],
    [10, 0.1],
  ],
};

/**
 * Drops what repeats itself: lines, paragraphs, and n-grams of words.
 *
 * Rules have the names that datatrove gives them. Source: Rae et al. 2021, table A1, https://arxiv.org/abs/2112.11446
 */
export function gopherRepetition(options: Partial<GopherRepetitionOptions> = {}): Step {
  const bounds = { ...gopherRepetitionDefaults, ...options };
  return ruleStep(
    'gopher-repetition',
    (document) => ruleAgainst(document.text, bounds) ?? document,
  );
}

function ruleAgainst(text: string, bounds: GopherRepetitionOptions): string | undefined {
  if (text === '') return 'empty';
  const length = codePoints(text);

  const paragraphs = trim(text).split(/\n{2,}/);
  const sameParagraphs = duplicatesOf(paragraphs);
  if (above(sameParagraphs.count / paragraphs.length, bounds.maxDuplicateParagraphs)) {
    return 'dup_para_frac';
  }
  if (above(sameParagraphs.characters / length, bounds.maxDuplicateParagraphCharacters)) {
    return 'dup_para_char_frac';
  }

  const lines = text.split(/\n+/);
  const sameLines = duplicatesOf(lines);
  if (above(sameLines.count / lines.length, bounds.maxDuplicateLines)) return 'dup_line_frac';
  if (above(sameLines.characters / length, bounds.maxDuplicateLineCharacters)) {
    return 'dup_line_char_frac';
  }

  const words = englishWords(text);
  const spaced = new JoinedWords(words, ' ');
  for (const [n, share] of bounds.maxTopNgramCharacters) {
    if (spaced.topCharacters(n) / length > share) return `top_${n}_gram`;
  }
  const dense = new JoinedWords(words, '');
  for (const [n, share] of bounds.maxDuplicateNgramCharacters) {
    if (dense.repeatedCharacters(n) / length > share) return `duplicated_${n}_n_grams`;
  }
  return undefined;
}

import type { Document } from '../documents/document.js';
import { ruleStep, type Step } from '../documents/step.js';
import { codePoints, countOf, splitLines, trimLeft, trimRight } from '../text/characters.js';
import { englishWords } from '../text/english-words.js';
import { symbols } from '../text/punctuation.js';
import { above, below } from './bounds.js';

/** The bounds of {@link gopherQuality}; `null` turns a rule off. */
export interface GopherQualityOptions {
  /** The least words, without those of symbols alone; default 50. */
  minWords: number | null;
  /** The most words; default 100,000. */
  maxWords: number | null;
  /** The least mean length of a word, in characters; default 3. */
  minMeanWordLength: number | null;
  /** The largest mean length of a word; default 10. */
  maxMeanWordLength: number | null;
  /** The most `#`, and the most ellipses, a word; default 0.1. */
  maxSymbolsPerWord: number | null;
  /** The largest share of lines that begin with a bullet; default 0.9. */
  maxBulletLines: number | null;
  /** The largest share of lines that end with an ellipsis; default 0.3. */
  maxEllipsisLines: number | null;
  /** The least share of words with a letter; default 0.8. */
  minLetterWords: number | null;
  /** How many of the stop words must occur; default 2. */
  minStopWords: number | null;
  /** Default: the, be, to, of, and, that, have, with. */
  stopWords: readonly string[];
}

/** The published bounds. */
export const gopherQualityDefaults: GopherQualityOptions = {
  minWords: 50,
  maxWords: 100_000,
  minMeanWordLength: 3,
  maxMeanWordLength: 10,
  maxSymbolsPerWord: 0.1,
  maxBulletLines: 0.9,
  maxEllipsisLines: 0.3,
  minLetterWords: 0.8,
  minStopWords: 2,
  stopWords: ['the', 'be', 'to', 'of', 'and', 'that', 'have', 'with'],
};

/**
 * Drops what does not look like prose: too short or long, odd words, symbols, bullets, ellipses, no stop words.
 *
 * Rules have the names that datatrove gives them. Source: Rae et al. 2021, Scaling Language Models: Methods, Analysis & Insights
 * from Training Gopher, appendix A.1.1, https://arxiv.org/abs/2112.11446
 */
export function gopherQuality(options: Partial<GopherQualityOptions> = {}): Step {
  const bounds = { ...gopherQualityDefaults, ...options };
  const stopWords = new Set(bounds.stopWords);
  return ruleStep(
    'gopher-quality',
    (document) => ruleAgainst(document, bounds, stopWords) ?? document,
  );
}

function ruleAgainst(
  { text }: Document,
  bounds: GopherQualityOptions,
  stopWords: ReadonlySet<string>,
): string | undefined {
  const words = englishWords(text);
  const spelled = words.filter(hasNonSymbol);
  if (below(spelled.length, bounds.minWords)) return 'gopher_short_doc';
  if (above(spelled.length, bounds.maxWords)) return 'gopher_long_doc';

  const meanLength = sum(spelled.map(codePoints)) / spelled.length;
  if (below(meanLength, bounds.minMeanWordLength)) return 'gopher_below_avg_threshold';
  if (above(meanLength, bounds.maxMeanWordLength)) return 'gopher_above_avg_threshold';

  const hashes = countOf(text, '#') / words.length;
  if (above(hashes, bounds.maxSymbolsPerWord)) return 'gopher_too_many_hashes';
  const ellipses = (countOf(text, '...') + countOf(text, '…')) / words.length;
  if (above(ellipses, bounds.maxSymbolsPerWord)) return 'gopher_too_many_ellipsis';

  const lines = splitLines(text);
  const bullets = shareOf(lines, (line) => /^[•-]/.test(trimLeft(line)));
  if (above(bullets, bounds.maxBulletLines)) return 'gopher_too_many_bullets';
  const openEnds = shareOf(lines, (line) => /(?:\.\.\.|…)$/.test(trimRight(line)));
  if (above(openEnds, bounds.maxEllipsisLines)) return 'gopher_too_many_end_ellipsis';

  const withLetter = shareOf(words, (word) => letter.test(word));
  if (below(withLetter, bounds.minLetterWords)) return 'gopher_below_alpha_threshold';

  const found = new Set(words.filter((word) => stopWords.has(word)));
  if (below(found.size, bounds.minStopWords)) return 'gopher_enough_stop_words';
  return undefined;
}

const letter = /\p{L}/u;

function hasNonSymbol(word: string): boolean {
  for (const character of word) if (!symbols.has(character)) return true;
  return false;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const shareOf = (parts: readonly string[], test: (part: string) => boolean) =>
  parts.filter(test).length / parts.length;

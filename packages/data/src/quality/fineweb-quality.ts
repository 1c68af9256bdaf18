import { ruleStep, type Step } from '../documents/step.js';
import { codePoints, countOf, isBlank } from '../text/characters.js';
import { englishWords } from '../text/english-words.js';
import { terminalMarks } from '../text/punctuation.js';
import { above, below } from './bounds.js';
import { duplicatesOf } from './duplicates.js';

/** The bounds of {@link finewebQuality}; `null` turns a rule off. */
export interface FinewebQualityOptions {
  /** The least share of lines that end with a terminal mark; default 0.12. */
  minTerminalLines: number | null;
  /** The largest share of short lines; default 0.67. */
  maxShortLines: number | null;
  /** The most characters of a short line; default 30. */
  shortLineLength: number;
  /** The largest share of characters within duplicate lines; default 0.01. */
  maxDuplicateLineCharacters: number | null;
  /** The most line ends a word; default 0.3. */
  maxLineEndsPerWord: number | null;
}

/** The published bounds. */
export const finewebQualityDefaults: FinewebQualityOptions = {
  minTerminalLines: 0.12,
  maxShortLines: 0.67,
  shortLineLength: 30,
  maxDuplicateLineCharacters: 0.01,
  maxLineEndsPerWord: 0.3,
};

/**
 * Drops lists and boilerplate, by how lines end, how long they are and how many repeat.
 *
 * Rules have the names that datatrove gives them. Source: Penedo et al. 2024, The FineWeb Datasets, section 3.5,
 * https://arxiv.org/abs/2406.17557
 */
export function finewebQuality(options: Partial<FinewebQualityOptions> = {}): Step {
  const bounds = { ...finewebQualityDefaults, ...options };
  return ruleStep('fineweb-quality', (document) => ruleAgainst(document.text, bounds) ?? document);
}

function ruleAgainst(text: string, bounds: FinewebQualityOptions): string | undefined {
  const lines = text.split('\n').filter((line) => !isBlank(line));
  if (lines.length === 0) return 'empty';

  const terminal = lines.filter((line) => terminalMarks.has(lastCharacter(line))).length;
  if (below(terminal / lines.length, bounds.minTerminalLines)) return 'line_punct_ratio';
  const short = lines.filter((line) => codePoints(line) <= bounds.shortLineLength).length;
  if (above(short / lines.length, bounds.maxShortLines)) return 'short_line_ratio';

  const lineEnds = countOf(text, '\n');
  const duplicates = duplicatesOf(lines).characters / (codePoints(text) - lineEnds);
  if (above(duplicates, bounds.maxDuplicateLineCharacters)) return 'char_dup_ratio';

  if (above(lineEnds / englishWords(text).length, bounds.maxLineEndsPerWord)) return 'list_ratio';
  return undefined;
}

function lastCharacter(text: string): string {
  const last = text.slice(-2);
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(last) ? last : last.slice(-1);
}

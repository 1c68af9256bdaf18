import { ruleStep, type Step } from '../documents/step.js';
import { codePoints, splitAtBlanks, splitLines, trim } from '../text/characters.js';
import { countEnglishSentences } from '../text/english-words.js';

/** The rules of {@link c4Quality}; `null` and `false` turn one off. */
export interface C4QualityOptions {
  /** The least sentences of a document, in the lines that stay; default 5. */
  minSentences: number | null;
  /** The least words of a line; default 3. */
  minWordsPerLine: number | null;
  /** A line with a longer word goes; default 1,000 characters. */
  maxWordLength: number | null;
  /** Removes `[12]`, `[edit]` and `[citation needed]`; default true. */
  removeCitations: boolean;
  /** Lines must end with `.`, `?`, `!`, `"` or `'`, and not with `...`; default true. */
  needTerminalMark: boolean;
  /** Drops documents with "lorem ipsum"; default true. */
  dropLoremIpsum: boolean;
  /** Removes lines that mention JavaScript; default true. */
  removeJavaScript: boolean;
  /** Drops documents with a curly bracket; default true. */
  dropCurlyBrackets: boolean;
  /** Removes lines about cookies, privacy policies and terms of use; default true. */
  removePolicies: boolean;
}

/** The published rules. */
export const c4QualityDefaults: C4QualityOptions = {
  minSentences: 5,
  minWordsPerLine: 3,
  maxWordLength: 1000,
  removeCitations: true,
  needTerminalMark: true,
  dropLoremIpsum: true,
  removeJavaScript: true,
  dropCurlyBrackets: true,
  removePolicies: true,
};

const citations = /\[\p{Nd}*\]|\[edit\]|\[citation needed\]/gu;
const terminal = /[.?!"']$/;
const policies =
  /terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies/;

/**
 * Removes lines that are not prose, and drops documents with code, placeholder text or fewer than five sentences left.
 *
 * Rules have the names that datatrove gives them. Source: Raffel et al. 2020, Exploring the Limits of Transfer Learning with a
 * Unified Text-to-Text Transformer, section 2.2, https://jmlr.org/papers/v21/20-074.html, without its list of bad words.
 */
export function c4Quality(options: Partial<C4QualityOptions> = {}): Step {
  const rules = { ...c4QualityDefaults, ...options };
  return ruleStep('c4-quality', (document) => {
    const kept: string[] = [];
    let sentences = 0;
    for (const raw of splitLines(document.text)) {
      const outcome = lineOutcome(trim(raw), rules);
      if (outcome === undefined) continue;
      if ('rule' in outcome) return outcome.rule;
      kept.push(outcome.line);
      if (rules.minSentences !== null) sentences += countEnglishSentences(outcome.line);
    }
    if (rules.minSentences !== null && sentences < rules.minSentences) {
      return 'too_few_sentences';
    }
    const text = trim(kept.join('\n'));
    return text === document.text ? document : { ...document, text };
  });
}

/** The line as it stays, the rule that drops the document, or `undefined` for a line that goes. */
function lineOutcome(
  line: string,
  rules: C4QualityOptions,
): { line: string } | { rule: string } | undefined {
  const words = splitAtBlanks(line);
  const { maxWordLength, minWordsPerLine } = rules;
  if (maxWordLength !== null && words.some((word) => codePoints(word) > maxWordLength)) {
    return undefined;
  }
  const cited = rules.removeCitations ? line.replace(citations, '') : line;
  if (rules.needTerminalMark && (!terminal.test(cited) || cited.endsWith('...'))) return undefined;
  if (minWordsPerLine !== null && words.length < minWordsPerLine) return undefined;
  const lower = cited.toLowerCase();
  if (rules.dropLoremIpsum && lower.includes('lorem ipsum')) return { rule: 'lorem_ipsum' };
  if (rules.removeJavaScript && lower.includes('javascript')) return undefined;
  if (rules.dropCurlyBrackets && cited.includes('{')) return { rule: 'curly_bracket' };
  if (rules.removePolicies && policies.test(lower)) return undefined;
  return { line: cited };
}

import { blankRuns, isBlank } from './characters.js';
import {
  exceptions,
  infixPattern,
  prefixPattern,
  suffixPattern,
  urlPattern,
} from './english-rules.js';
import { sentenceEnds } from './punctuation.js';

const prefix = new RegExp(prefixPattern, 'u');
const suffix = new RegExp(suffixPattern, 'gu');
const infix = new RegExp(infixPattern, 'gu');
const url = new RegExp(urlPattern, 'u');
const punctuation = /^\p{P}+$/u;

/** No suffix is longer, but for runs of dots. */
const longestSuffix = 16;

/** Words with parts of their own, such as `don't` and `U.S.`. */
const special = new Map(
  exceptions.split('\n').map((line) => [line.replaceAll(' ', ''), line.split(' ')]),
);

/** The exceptions that other tokens can form together, as `:` and `)` do, by their tokens. */
const joined = new Map<string, string>();
const separator = '\0';
let longestJoined = 0;
/** The first tokens of `joined`: most tokens are none, and need no further look. */
const starts = new Set<string>();
for (const text of special.keys()) {
  if (matchLength(prefix, text) + suffixLength(text) === 0 && !text.match(infix)) continue;
  const tokens = splitRun(text, false);
  joined.set(tokens.join(separator), text);
  starts.add(tokens[0]!);
  longestJoined = Math.max(longestJoined, tokens.length);
}

const cache = new Map<string, readonly string[]>();
const cachedRuns = 100_000;
const longestCached = 40;

/** A copy: a part of a text keeps the whole text in memory where the engine makes it a view, as V8 does from 13 characters on. */
const ownString = (part: string): string => part.split('').join('');

/**
 * The tokens of an English text: words, punctuation marks, and runs of blanks other than one space.
 *
 * The rules are those of `spacy.blank('en')` (https://spacy.io/usage/linguistic-features#how-tokenizer-works): each run of
 * characters between blanks loses prefixes and suffixes until it is an exception or has none left, and is then split at infixes.
 */
export function englishTokens(text: string): string[] {
  const tokens: string[] = [];
  /** Where each run ends: an exception does not reach across blanks. */
  const ends: number[] = [];
  for (const run of runsOf(text)) {
    let parts = cache.get(run);
    if (!parts) {
      const own = run.length <= longestCached ? ownString(run) : run;
      parts = isBlank(own) ? [own] : splitRun(own, true);
      if (cache.size >= cachedRuns) cache.clear();
      if (own.length <= longestCached) cache.set(own, parts);
    }
    for (const part of parts) tokens.push(part);
    ends.push(tokens.length);
  }
  return joinExceptions(tokens, ends);
}

/** The words of an English text: its tokens but blanks. */
export const englishWords = (text: string): string[] =>
  englishTokens(text).filter((token) => !isBlank(token));

/** What is split by itself: runs of blanks without the one space after a word, and runs of other characters. */
function runsOf(text: string): string[] {
  const runs = blankRuns(text);
  const kept = [];
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i]!;
    if (i === 0 || run[0] !== ' ') kept.push(run);
    else if (run.length > 1) kept.push(run.slice(1));
  }
  return kept;
}

function matchLength(pattern: RegExp, text: string): number {
  return pattern.exec(text)?.[0].length ?? 0;
}

function suffixLength(text: string): number {
  let dots = 0;
  while (text[text.length - 1 - dots] === '.') dots += 1;
  suffix.lastIndex = Math.max(0, text.length - Math.max(dots, longestSuffix));
  return suffix.exec(text)?.[0].length ?? 0;
}

/** The tokens of a run without blanks. */
function splitRun(run: string, withSpecial: boolean): readonly string[] {
  const isSpecial = (text: string) => withSpecial && text !== '' && special.has(text);
  const before: string[] = [];
  const after: string[] = [];
  let rest = run;
  for (let last = -1; rest !== '' && rest.length !== last && !isSpecial(rest); ) {
    last = rest.length;
    const cutBefore = matchLength(prefix, rest);
    const cutAfter = suffixLength(rest.slice(cutBefore));
    const end = rest.length - cutAfter;
    if (cutBefore > 0 && isSpecial(rest.slice(cutBefore))) {
      before.push(rest.slice(0, cutBefore));
      rest = rest.slice(cutBefore);
    } else if (cutAfter > 0 && isSpecial(rest.slice(0, end))) {
      after.push(rest.slice(end));
      rest = rest.slice(0, end);
    } else {
      if (cutBefore > 0) before.push(rest.slice(0, cutBefore));
      if (cutAfter > 0) after.push(rest.slice(end));
      rest = rest.slice(cutBefore, end);
    }
  }
  return [
    ...before,
    ...(isSpecial(rest) ? special.get(rest)! : splitInfixes(rest)),
    ...after.reverse(),
  ];
}

function splitInfixes(text: string): string[] {
  if (text === '' || url.test(text)) return text === '' ? [] : [text];
  const tokens: string[] = [];
  let start = 0;
  for (const { 0: found, index } of text.matchAll(infix)) {
    if (index === 0) continue;
    if (index > start) tokens.push(text.slice(start, index));
    if (found !== '') tokens.push(found);
    start = index + found.length;
  }
  if (start < text.length) tokens.push(text.slice(start));
  return tokens;
}

/** Puts exceptions in place of the tokens that spell them, the longest first; `ends` are the runs' ends. */
function joinExceptions(tokens: string[], ends: readonly number[]): string[] {
  const spans: { start: number; end: number; parts?: readonly string[] | undefined }[] = [];
  let run = 0;
  for (let start = 0; start < tokens.length; start++) {
    while (ends[run]! <= start) run += 1;
    if (!starts.has(tokens[start]!)) continue;
    let key = '';
    for (let end = start + 1; end <= Math.min(start + longestJoined, tokens.length); end++) {
      key = end === start + 1 ? tokens[start]! : key + separator + tokens[end - 1];
      const text = joined.get(key);
      // A match across blanks replaces nothing, and still keeps others from its tokens.
      if (text)
        spans.push({ start, end, parts: end <= ends[run]! ? special.get(text) : undefined });
    }
  }
  if (spans.length === 0) return tokens;
  const used = new Set<number>();
  const chosen = new Map<number, (typeof spans)[number]>();
  for (const span of spans.sort(
    (a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start,
  )) {
    if (!used.has(span.start) && !used.has(span.end - 1)) chosen.set(span.start, span);
    for (let i = span.start; i < span.end; i++) used.add(i);
  }
  const result: string[] = [];
  for (let i = 0; i < tokens.length; ) {
    const span = chosen.get(i);
    result.push(...(span?.parts ?? [tokens[i]!]));
    i = span?.parts ? span.end : i + 1;
  }
  return result;
}

/**
 * How many sentences an English text has: the next begins at the first token after `.`, `!` or `?` that is not punctuation.
 *
 * The rule is that of spaCy's `sentencizer`.
 */
export function countEnglishSentences(text: string): number {
  let [count, ended, any] = [1, false, false];
  for (const token of englishTokens(text)) {
    any = true;
    if (sentenceEnds.has(token)) ended = true;
    else if (ended && !punctuation.test(token)) {
      count += 1;
      ended = false;
    }
  }
  return any ? count : 0;
}

import { TokenizerError } from './errors.js';
import { mismatch } from './fields.js';

/** How deep the parts of a tokenizer.json may be nested. */
const maxDepth = 100;
/** Code units that the parts of a pipeline may make of each one, and besides. */
const growth = 64;
const slack = 512;
/** The longest text that any growth may reach. */
const maxUnits = 2 ** 28;

/** The longest added token, piece of a Unigram model, prefix or suffix, in code units. */
export const maxTokenLength = 1024;

/** Ids of a vocabulary may leave holes: up to 2^18, and three more for each token. */
export const idEnd = (tokens: number): number => 2 ** 18 + 4 * tokens;

/** What an id of a vocabulary must be. */
export const expectedId = 'a whole number of at least 0, below 2^18 + 4 × the number of tokens';

/** How many code units the parts of a pipeline may make of a text. */
export const roomFor = (units: number): number => Math.min(growth * units + slack, maxUnits);

/** The error for a text that exceeds its limit. */
export const outgrown = (what: string, room: number): TokenizerError =>
  new TokenizerError(
    `${what} makes more than ${room} code units of a text; expected at most ${growth} for each of its own, and ${slack} besides`,
  );

/** Tokens that truncation, padding and pairs may make of any text, or for each of its tokens. */
const maxTokens = 2 ** 24;

/** @throws TokenizerError where a text, its overflowing parts and padding exceed the limit on tokens */
export function checkMade(what: string, made: number, given: number): void {
  if (made <= Math.max(maxTokens, growth * given)) return;
  throw new TokenizerError(
    `${what} makes ${made} tokens of ${given}; expected at most ${maxTokens}, or ${growth} for each`,
  );
}

/** @throws TokenizerError where two truncated texts exceed the limit on pairs of parts */
export function checkPairs(first: number, second: number): void {
  const most = Math.max(maxPairs, growth * (first + second));
  if (first * second <= most) return;
  throw new TokenizerError(
    `truncation cuts a pair into ${first} and ${second} parts, which make ${first * second} pairs; expected at most ${most}`,
  );
}

/** Pairs of the parts of two texts. */
const maxPairs = 4096;

/** Texts and special tokens that a post-processor may make of a text. */
export const maxParts = 256;

/** @throws TokenizerError where a part of a tokenizer.json is nested too deeply to be read */
export function checkDepth(value: unknown, path: string): void {
  const isDeeper = (part: unknown, depth: number): boolean => {
    if (typeof part !== 'object' || part === null) return false;
    return depth === 0 || Object.values(part).some((inner) => isDeeper(inner, depth - 1));
  };
  if (isDeeper(value, maxDepth)) {
    throw new TokenizerError(`${path} is nested more than ${maxDepth} deep; expected fewer parts`);
  }
}

/** @throws TokenizerError where a string of a file exceeds the limit */
export function checkTokenLength(text: string, path: string): void {
  if (text.length <= maxTokenLength) return;
  throw mismatch(
    path,
    `a text of ${text.length} code units`,
    `at most ${maxTokenLength} code units`,
  );
}

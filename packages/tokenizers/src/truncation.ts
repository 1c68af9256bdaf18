import type { Encoding } from './encoding.js';
import { TokenizerError } from './errors.js';
import type { Fields } from './fields.js';
import { checkMade } from './limits.js';

/** Truncation of encodings that are too long. */
export interface Truncation {
  /** Tokens at most, special ones among them. */
  maxLength: number;
  /** Tokens that a part has in common with the part before it; default 0. */
  stride?: number | undefined;
  /** Which of two texts is cut; default the longer one. */
  strategy?: 'longest-first' | 'only-first' | 'only-second' | undefined;
  /** Where tokens are cut off; default right. */
  direction?: 'left' | 'right' | undefined;
}

const strategies = {
  LongestFirst: 'longest-first',
  OnlyFirst: 'only-first',
  OnlySecond: 'only-second',
} as const;

/** Reads `truncation`. */
export function readTruncation(fields: Fields): Truncation {
  const names = Object.keys(strategies) as (keyof typeof strategies)[];
  return {
    maxLength: fields.count('max_length'),
    stride: fields.count('stride', 0),
    strategy: strategies[fields.oneOf('strategy', names, 'LongestFirst')],
    direction: fields.oneOf('direction', ['Left', 'Right'], 'Right') === 'Left' ? 'left' : 'right',
  };
}

/**
 * Cuts one or two encodings; what is cut off becomes their overflowing parts.
 *
 * @param added special tokens that come to them afterwards
 * @throws TokenizerError where the stride leaves no room, or the text to cut is too short
 */
export function truncate(
  encodings: readonly Encoding[],
  truncation: Truncation,
  added: number,
): Encoding[] {
  const { maxLength, strategy = 'longest-first' } = truncation;
  if (!(Number.isSafeInteger(maxLength) && maxLength >= added)) {
    throw new TokenizerError(
      `truncation.maxLength is ${maxLength}; expected at least ${added}, the number of special tokens`,
    );
  }
  const room = maxLength - added;
  const [first, second] = encodings;
  const total = encodings.reduce((sum, { length }) => sum + length, 0);
  if (total <= room) return [...encodings];
  if (!second) return [cut(first!, room, truncation)];
  if (strategy === 'longest-first') {
    const [a, b] = longestFirst(first!.length, second.length, room);
    return [cut(first!, a, truncation), cut(second, b, truncation)];
  }
  const target = strategy === 'only-first' ? first! : second;
  const excess = total - room;
  if (target.length <= excess) {
    throw new TokenizerError(
      `truncation: the ${strategy === 'only-first' ? 'first' : 'second'} text has ${target.length} tokens; expected more than the ${excess} to cut off`,
    );
  }
  return encodings.map((encoding) =>
    encoding === target ? cut(encoding, target.length - excess, truncation) : encoding,
  );
}

function longestFirst(first: number, second: number, room: number): [number, number] {
  const shorter = Math.min(first, second);
  let [a, b] = [shorter, shorter > room ? shorter : Math.max(shorter, room - shorter)];
  if (a + b > room) {
    a = Math.floor(room / 2);
    b = a + (room % 2);
  }
  return first > second ? [b, a] : [a, b];
}

function cut(
  encoding: Encoding,
  length: number,
  { stride = 0, direction = 'right' }: Truncation,
): Encoding {
  const total = encoding.length;
  if (total <= length) return encoding;
  if (length === 0) return encoding.slice(0, 0).with({}, [encoding]);
  if (!(Number.isSafeInteger(stride) && stride >= 0 && stride < length)) {
    throw new TokenizerError(
      `truncation.stride is ${stride}; expected 0 to ${length - 1}, less than the tokens left of the text`,
    );
  }
  const step = length - stride;
  const made = Math.ceil((total - length) / step + 1) * length;
  checkMade(`truncation.stride ${stride}`, made, total);
  const parts: Encoding[] = [];
  if (direction === 'right') {
    for (let start = 0; ; start += step) {
      const end = Math.min(start + length, total);
      parts.push(encoding.slice(start, end));
      if (end === total) break;
    }
  } else {
    for (let end = total; ; end -= step) {
      const start = Math.max(0, end - length);
      parts.push(encoding.slice(start, end));
      if (start === 0) break;
    }
  }
  return parts[0]!.with({}, parts.slice(1));
}

import { TokenizerError } from '../errors.js';
import { codePointAt, sizeOf } from '../text/normalized-text.js';
import { PatternParser, wordCharacters } from './parse.js';
import { compile, type Program } from './program.js';

/** Bits for states that failed; a text that needs more remembers a window of it. */
const maxBits = 2 ** 24;

/**
 * Matches a pattern by memoized backtracking: failed states, and in look-arounds matched ones, are never tried twice, so
 * the time is linear in text × pattern. An atomic group in a repeat can take longer, up to a limit on steps.
 */
export class Matcher {
  /** Where the match found last begins and ends. */
  matchStart = 0;
  matchEnd = 0;
  readonly #program: Program;
  #units: Uint16Array = new Uint16Array(0);
  #from = 0;
  #to = 0;
  #failed = new Uint32Array(64);
  /** States of look-arounds that have led to a match, which is all that a look-around asks. */
  #passed = new Uint32Array(0);
  #windowStart = 0;
  #windowLength = 0;
  #steps = 0;
  /** States entered in this attempt, each with the one it was entered from. */
  #entered: number[] = [];
  #parents: number[] = [];

  /** @throws TokenizerError naming the pattern and what is wrong with it */
  constructor(readonly source: string) {
    this.#program = compile(new PatternParser(source).parse(), source);
  }

  /** Sets the text to search; only `[from, to)` is searched. */
  begin(units: Uint16Array, from: number, to: number): void {
    this.#units = units;
    this.#from = from;
    this.#to = to;
    this.#steps = 100_000 + 1_000 * (to - from);
    this.#moveWindow(from);
  }

  /**
   * Looks for the first match at or after a place.
   *
   * @throws TokenizerError where it takes more steps than any sensible pattern
   */
  next(from: number): boolean {
    for (let at = from; at <= this.#to; ) {
      if (at - this.#windowStart > this.#windowLength >> 1 && this.#windowLength <= this.#to - at) {
        this.#moveWindow(at);
      }
      const end = this.#run(this.#program.start, at);
      if (end >= 0) {
        this.matchStart = at;
        this.matchEnd = end;
        return true;
      }
      at += at < this.#to ? sizeOf(codePointAt(this.#units, at, this.#to)) : 1;
    }
    return false;
  }

  #moveWindow(at: number): void {
    const states = Math.max(1, this.#program.states);
    this.#windowStart = at;
    this.#windowLength = Math.min(this.#to - at + 1, Math.floor(maxBits / states));
    const words = (states * this.#windowLength + 31) >>> 5;
    this.#failed = cleared(this.#failed, words);
    if (this.#program.looks) this.#passed = cleared(this.#passed, words);
  }

  /**
   * Runs the steps from `start` at a place; the end of the match, or −1.
   *
   * @param looking whether only the existence of a match counts, not its end
   */
  #run(start: number, place: number, looking = false): number {
    const { instructions, states } = this.#program;
    const units = this.#units;
    const to = this.#to;
    const bottom = this.#entered.length;
    const stack: number[] = [];
    let pc = start;
    let at = place;
    let parent = -1;
    for (;;) {
      if (--this.#steps < 0) {
        throw new TokenizerError(
          `pattern '${this.source.slice(0, 200)}': takes too many steps on a text of ${to - this.#from} code units`,
        );
      }
      const step = instructions[pc]!;
      let passed = false;
      switch (step.op) {
        case 'set':
          if (at < to) {
            const codePoint = codePointAt(units, at, to);
            if (step.set.has(codePoint)) {
              at += sizeOf(codePoint);
              passed = true;
            }
          }
          break;
        case 'set-before':
          if (at > this.#from) {
            const codePoint = before(units, at);
            if (step.set.has(codePoint)) {
              at -= sizeOf(codePoint);
              passed = true;
            }
          }
          break;
        case 'split': {
          const bit = (at - this.#windowStart) * states + step.state;
          if (at >= this.#windowStart && at - this.#windowStart < this.#windowLength) {
            const mask = 1 << (bit & 31);
            if (looking && (this.#passed[bit >>> 5]! & mask) !== 0) {
              this.#forget(parent, bottom, looking);
              return at;
            }
            if ((this.#failed[bit >>> 5]! & mask) !== 0) break;
            this.#failed[bit >>> 5]! |= mask;
            this.#parents.push(parent);
            parent = this.#entered.push(bit) - 1;
          }
          stack.push(step.other, at, parent);
          passed = true;
          break;
        }
        case 'assert':
          passed = this.#holds(step.assert, at);
          break;
        case 'behind':
          passed = (at > this.#from && step.set.has(before(units, at))) !== step.negative;
          break;
        case 'look':
          passed = this.#run(step.body, at, true) >= 0 !== step.negative;
          break;
        case 'atomic': {
          const end = this.#run(step.body, at);
          if (end >= 0) {
            at = end;
            passed = true;
          }
          break;
        }
        case 'match':
          this.#forget(parent, bottom, looking);
          return at;
      }
      if (passed) {
        pc = step.next;
        continue;
      }
      if (stack.length === 0) {
        this.#entered.length = bottom;
        this.#parents.length = bottom;
        return -1;
      }
      parent = stack.pop()!;
      at = stack.pop()!;
      pc = stack.pop()!;
    }
  }

  /** The states on the way to a match have not failed. */
  #forget(last: number, bottom: number, looking: boolean): void {
    for (let i = last; i >= 0; i = this.#parents[i]!) {
      const bit = this.#entered[i]!;
      this.#failed[bit >>> 5]! &= ~(1 << (bit & 31));
      if (looking) this.#passed[bit >>> 5]! |= 1 << (bit & 31);
    }
    this.#entered.length = bottom;
    this.#parents.length = bottom;
  }

  #holds(assert: string, at: number): boolean {
    const units = this.#units;
    switch (assert) {
      case 'start':
        return at === this.#from;
      case 'end':
        return at === this.#to;
      case 'line-start':
        return at === this.#from || (units[at - 1] === 10 && at < this.#to);
      case 'line-end':
        return at === this.#to || units[at] === 10;
      default: {
        const left = at > this.#from && wordCharacters.has(before(units, at));
        const right = at < this.#to && wordCharacters.has(codePointAt(units, at, this.#to));
        return (left !== right) === (assert === 'boundary');
      }
    }
  }
}

/** An array of at least `words` zeros: the same one where it is long enough. */
const cleared = (array: Uint32Array, words: number): Uint32Array<ArrayBuffer> =>
  words > array.length
    ? new Uint32Array(words)
    : (array as Uint32Array<ArrayBuffer>).fill(0, 0, words);

/** The code point before a place. */
function before(units: Uint16Array, at: number): number {
  const low = units[at - 1]!;
  const pair = (low & 0xfc00) === 0xdc00 && at > 1;
  return pair ? codePointAt(units, at - 2, at) : low;
}

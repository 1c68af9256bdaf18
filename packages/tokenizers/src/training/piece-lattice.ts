import { stringToUnits } from '../text/normalized-text.js';
import { Trie } from '../text/trie.js';

/** How much less likely an unknown character is than the least likely piece. */
const unknownPenalty = 10;

/** The ways to put words together of pieces that have scores. */
export class PieceLattice {
  readonly #trie = new Trie();
  /** Log-probabilities by piece; −∞ for a piece that is gone. */
  readonly scores: Float64Array;
  #unknownScore = 0;
  /** The edges of the word at hand by where they begin: `#from[i]` to `#from[i + 1]`. */
  readonly #from: number[] = [];
  readonly #ends: number[] = [];
  readonly #ids: number[] = [];

  constructor(pieces: readonly string[]) {
    for (const [id, piece] of pieces.entries()) this.#trie.set(stringToUnits(piece), id);
    this.scores = new Float64Array(pieces.length);
  }

  /** To be called when scores have changed. */
  update(): void {
    let least = 0;
    for (const score of this.scores)
      if (score > Number.NEGATIVE_INFINITY && score < least) least = score;
    this.#unknownScore = least - unknownPenalty;
  }

  /**
   * Adds to each piece how often it is expected in a word.
   *
   * @param count occurrences of the word
   * @returns the word's log-probability
   * @see Baum and Welch's algorithm, as Kudo 2018 uses it, https://arxiv.org/abs/1804.10959
   */
  addExpected(word: Uint16Array, count: number, expected: Float64Array): number {
    const n = word.length;
    this.#fill(word);
    const forward = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY);
    const backward = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY);
    forward[0] = 0;
    backward[n] = 0;
    this.#eachEdge(n, (start, end, _, score) => {
      forward[end] = logAdd(forward[end]!, forward[start]! + score);
    });
    for (let start = n - 1; start >= 0; start--) {
      for (let e = this.#from[start]!; e < this.#from[start + 1]!; e++) {
        const value = this.#scoreOf(this.#ids[e]!) + backward[this.#ends[e]!]!;
        backward[start] = logAdd(backward[start]!, value);
      }
    }
    const total = forward[n]!;
    this.#eachEdge(n, (start, end, id, score) => {
      if (id >= 0)
        expected[id]! += count * Math.exp(forward[start]! + score + backward[end]! - total);
    });
    return total;
  }

  /**
   * The most likely pieces of a word, −1 for an unknown character.
   *
   * @param without a piece that is not to be used
   */
  best(word: Uint16Array, without = -1): number[] | undefined {
    const n = word.length;
    this.#fill(word);
    const scores = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY);
    const starts = new Int32Array(n + 1).fill(-1);
    const ids = new Int32Array(n + 1);
    scores[0] = 0;
    this.#eachEdge(n, (start, end, id, score) => {
      if (id === without && id >= 0) return;
      if (scores[start]! + score <= scores[end]!) return;
      scores[end] = scores[start]! + score;
      starts[end] = start;
      ids[end] = id;
    });
    if (starts[n]! < 0) return undefined;
    const found: number[] = [];
    for (let at = n; at > 0; at = starts[at]!) found.push(ids[at]!);
    return found.reverse();
  }

  #scoreOf(id: number): number {
    return id < 0 ? this.#unknownScore : this.scores[id]!;
  }

  #eachEdge(
    n: number,
    visit: (start: number, end: number, id: number, score: number) => void,
  ): void {
    for (let start = 0; start < n; start++) {
      for (let e = this.#from[start]!; e < this.#from[start + 1]!; e++) {
        visit(start, this.#ends[e]!, this.#ids[e]!, this.#scoreOf(this.#ids[e]!));
      }
    }
  }

  #fill(word: Uint16Array): void {
    const [ends, ids, from, trie, scores] = [
      this.#ends,
      this.#ids,
      this.#from,
      this.#trie,
      this.scores,
    ];
    ends.length = 0;
    ids.length = 0;
    for (let start = 0; start < word.length; start++) {
      from[start] = ends.length;
      const isLow = (word[start]! & 0xfc00) === 0xdc00;
      if (isLow) continue;
      const size = (word[start]! & 0xfc00) === 0xd800 ? 2 : 1;
      let single = false;
      let node = 0;
      for (let at = start; at < word.length; at++) {
        node = trie.step(node, word[at]!);
        if (node < 0) break;
        const id = trie.value(node);
        if (id < 0 || scores[id] === Number.NEGATIVE_INFINITY) continue;
        ends.push(at + 1);
        ids.push(id);
        single ||= at + 1 === start + size;
      }
      if (!single) {
        ends.push(start + size);
        ids.push(-1);
      }
    }
    from[word.length] = ends.length;
  }
}

function logAdd(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}

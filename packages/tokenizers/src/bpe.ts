import { TokenizerError } from './errors.js';

/** Two neighbouring tokens. */
export type Merge = readonly [left: string, right: string];

/** Room for ids of the right token in one number with those of the left. */
const idLimit = 2 ** 26;

/**
 * Byte-pair encoding: joins the pair of neighbours that was learned first, until none is left.
 *
 * @see Sennrich, Haddow and Birch 2016, https://arxiv.org/abs/1508.07909
 */
export class Bpe {
  readonly #ranks = new Map<number, { rank: number; id: number }>();
  readonly #cache = new Map<string, readonly number[]>();

  /** @throws TokenizerError where a merge names a token that the vocabulary lacks */
  constructor(
    readonly vocab: ReadonlyMap<string, number>,
    readonly merges: readonly Merge[],
    readonly unknown: string | undefined,
  ) {
    merges.forEach(([left, right], rank) => {
      const [a, b, id] = [left, right, left + right].map((token) => {
        const found = vocab.get(token);
        if (found === undefined) {
          throw new TokenizerError(
            `model.merges[${rank}] '${left} ${right}': the vocabulary lacks '${token}'`,
          );
        }
        return found;
      });
      this.#ranks.set(a! * idLimit + b!, { rank, id: id! });
    });
  }

  /** The ids of a word. */
  encode(word: string): readonly number[] {
    const known = this.#cache.get(word);
    if (known) return known;
    const ids = this.#merge([...word].flatMap((char) => this.#idOf(char)));
    if (this.#cache.size >= 20_000) this.#cache.clear();
    this.#cache.set(word, ids);
    return ids;
  }

  #idOf(char: string): number[] {
    const id = this.vocab.get(char) ?? (this.unknown ? this.vocab.get(this.unknown) : undefined);
    return id === undefined ? [] : [id];
  }

  #merge(ids: number[]): number[] {
    for (;;) {
      let best: { rank: number; id: number } | undefined;
      for (let i = 0; i + 1 < ids.length; i++) {
        const pair = this.#ranks.get(ids[i]! * idLimit + ids[i + 1]!);
        if (pair && (!best || pair.rank < best.rank)) best = pair;
      }
      if (!best) return ids;
      const merged: number[] = [];
      for (let i = 0; i < ids.length; i++) {
        if (i + 1 < ids.length && this.#ranks.get(ids[i]! * idLimit + ids[i + 1]!) === best) {
          merged.push(best.id);
          i++;
        } else merged.push(ids[i]!);
      }
      ids = merged;
    }
  }
}

import { codePoints } from '../text/characters.js';

/** How many of `parts` repeat an earlier one, and the characters of those. */
export function duplicatesOf(parts: readonly string[]): { count: number; characters: number } {
  const seen = new Set<string>();
  let [count, characters] = [0, 0];
  for (const part of parts) {
    if (seen.has(part)) {
      count += 1;
      characters += codePoints(part);
    } else seen.add(part);
  }
  return { count, characters };
}

/** Words one after another in one string, so that an n-gram is a slice of it. */
export class JoinedWords {
  readonly #text: string;
  readonly #starts: number[];
  readonly #gap: number;

  constructor(words: readonly string[], separator: '' | ' ') {
    this.#gap = separator.length;
    this.#text = words.join(separator);
    this.#starts = [];
    let start = 0;
    for (const word of words) {
      this.#starts.push(start);
      start += word.length + this.#gap;
    }
    this.#starts.push(start);
  }

  /** The characters of the most frequent n-gram, each occurrence counted; of equals, the first. */
  topCharacters(n: number): number {
    const counts = new Map<string, number>();
    for (let i = 0; i < this.#count(n); i++) {
      const gram = this.#gram(i, n);
      counts.set(gram, (counts.get(gram) ?? 0) + 1);
    }
    let [top, most] = ['', 0];
    for (const [gram, count] of counts) if (count > most) [top, most] = [gram, count];
    return codePoints(top) * most;
  }

  /** The characters within n-grams that occurred before; n-grams that are counted do not overlap. */
  repeatedCharacters(n: number): number {
    const seen = new Set<string>();
    let characters = 0;
    for (let i = 0; i < this.#count(n); ) {
      const gram = this.#gram(i, n);
      if (seen.has(gram)) {
        characters += codePoints(gram);
        i += n;
      } else {
        seen.add(gram);
        i += 1;
      }
    }
    return characters;
  }

  #count(n: number): number {
    return this.#starts.length - n;
  }

  #gram(i: number, n: number): string {
    return this.#text.slice(this.#starts[i]!, this.#starts[i + n]! - this.#gap);
  }
}

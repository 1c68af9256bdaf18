import type { Tokenizer } from '@headwise/tokenizers';

/** What a vocabulary needs of a tokenizer. */
export type TokenTexts = Pick<
  Tokenizer,
  'vocabSize' | 'addedTokens' | 'idToToken' | 'tokenBytes' | 'decode'
>;

/**
 * The tokens of a tokenizer as a trie of their bytes, which lies in arrays in depth-first order.
 *
 * A token's text is what it adds to the text before it, as `decodeStream` prints it: with the space that a word piece begins
 * with. Special tokens, and those without text, are left out.
 */
export class Vocabulary {
  /** One more than the greatest id. */
  readonly size: number;
  /** Of each node but the root, node 0: the byte that leads to it. */
  readonly bytes: Uint8Array;
  /** Bytes from the root to a node. */
  readonly depths: Uint16Array;
  /** The first node that does not lie below a node. */
  readonly ends: Int32Array;
  /** Ids of a node's tokens: `ids[first[node]]` to `ids[first[node + 1] − 1]`. */
  readonly first: Int32Array;
  readonly ids: Int32Array;
  /** The length of the longest token, bytes. */
  readonly longest: number;
  readonly #texts: readonly (Uint8Array | undefined)[];

  constructor(texts: readonly (Uint8Array | undefined)[]) {
    this.#texts = texts;
    this.size = texts.length;
    const order = texts.flatMap((text, id) => (text && text.length > 0 ? [id] : []));
    order.sort((a, b) => compare(texts[a]!, texts[b]!));
    const [bytes, depths, ends, first, path] = [[0], [0], [0], [0], [0]];
    let before: Uint8Array = new Uint8Array();
    for (const [n, id] of order.entries()) {
      const text = texts[id]!;
      let common = 0;
      while (common < before.length && before[common] === text[common]) common++;
      for (let depth = before.length; depth > common; depth--) ends[path.pop()!] = bytes.length;
      for (let depth = common; depth < text.length; depth++) {
        path.push(bytes.length);
        bytes.push(text[depth]!);
        depths.push(depth + 1);
        ends.push(0);
        // Tokens of nodes before this one are those that came before.
        first.push(n);
      }
      before = text;
    }
    for (const node of path) ends[node] = bytes.length;
    first.push(order.length);
    this.bytes = Uint8Array.from(bytes);
    this.depths = Uint16Array.from(depths);
    this.ends = Int32Array.from(ends);
    this.first = Int32Array.from(first);
    this.ids = Int32Array.from(order);
    this.longest = depths.reduce((most, depth) => Math.max(most, depth), 0);
  }

  static of(tokenizer: TokenTexts): Vocabulary {
    const made = vocabularies.get(tokenizer) ?? new Vocabulary(textsOf(tokenizer));
    vocabularies.set(tokenizer, made);
    return made;
  }

  /** The bytes of a token; undefined where it has none. */
  textOf(id: number): Uint8Array | undefined {
    return this.#texts[id];
  }

  /** The node below another to which a byte leads. */
  child(node: number, byte: number): number | undefined {
    for (let at = node + 1; at < this.ends[node]!; at = this.ends[at]!) {
      if (this.bytes[at] === byte) return at;
    }
    return undefined;
  }

  hasToken(node: number): boolean {
    return this.first[node]! < this.first[node + 1]!;
  }

  /** Characters that are a token of several bytes, in order. */
  get wideChars(): readonly number[] {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const codes = [...this.ids].flatMap((id) => {
      const text = this.#texts[id]!;
      if (text.length < 2 || text.length > 4) return [];
      try {
        const [char, ...more] = decoder.decode(text);
        return more.length === 0 ? [char!.codePointAt(0)!] : [];
      } catch {
        return [];
      }
    });
    return codes.sort((a, b) => a - b);
  }
}

const vocabularies = new WeakMap<TokenTexts, Vocabulary>();

function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function textsOf(tokenizer: TokenTexts): (Uint8Array | undefined)[] {
  const encoder = new TextEncoder();
  const special = new Set(
    tokenizer.addedTokens.filter((token) => token.special).map(({ id }) => id),
  );
  const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(
    (id) => !special.has(id) && tokenizer.idToToken(id) !== undefined,
  );
  // A word before: what follows it has its space, or its prefix taken off.
  const anchor = ids.find((id) => /^ ?[a-z]$/.test(tokenizer.decode([id])));
  const before = anchor === undefined ? '' : tokenizer.decode([anchor]);
  const texts = Array<Uint8Array | undefined>(tokenizer.vocabSize).fill(undefined);
  for (const id of ids) {
    const bytes = tokenizer.tokenBytes(id);
    if (bytes) {
      texts[id] = bytes;
      continue;
    }
    const both = tokenizer.decode(anchor === undefined ? [id] : [anchor, id]);
    const text = both.slice(before.length);
    if (both.startsWith(before) && !text.includes('�')) texts[id] = encoder.encode(text);
  }
  return texts;
}

/**
 * WGSL of what happens between the product of a query and a key and the softmax.
 *
 * Every kernel, forward and backward, calls these functions and nothing else, so that another mask
 * or another score is another text here, told apart by `key`.
 */
export interface ScoreCode {
  /** Part of the key of every program that holds the text. */
  readonly key: string;
  /**
   * - `key_end(query, length) -> u32`: keys from here on are hidden; must not fall as queries rise.
   * - `query_begin(key) -> u32`: earlier queries do not see the key; must not fall as keys rise.
   * - `score(product, head, query, key) -> Rows`: the score; `Rows` and `RowIndices` are vectors, or numbers.
   * - `score_slope(product, head, query, key) -> Rows`: its derivative by the product.
   */
  readonly wgsl: string;
}

const scaled = /* wgsl */ `
  fn score(product: Rows, head: u32, query: RowIndices, key: RowIndices) -> Rows {
    return product * params.scale;
  }
  fn score_slope(product: Rows, head: u32, query: RowIndices, key: RowIndices) -> Rows {
    return Rows(params.scale);
  }
`;

// Both masks are one text, so that they share programs. The last query is aligned with the last key.
const ordered = /* wgsl */ `
  fn key_end(query: u32, length: u32) -> u32 {
    if (params.causal == 0u) { return length; }
    let end = query + params.keys + 1u;
    return min(length, max(end, params.queries) - params.queries);
  }
  fn query_begin(key: u32) -> u32 {
    if (params.causal == 0u) { return 0u; }
    return max(key + params.queries, params.keys) - params.keys;
  }
`;

/** The score of plain scaled attention, with the masks that are known by `params.causal` and lengths. */
export const plainScore: ScoreCode = { key: 'plain', wgsl: ordered + scaled };

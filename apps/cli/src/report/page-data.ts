/** What the script of a report reads from the page. */
export interface PageData {
  /** `T` */
  tokens: number;
  /** The number of heads of each layer. */
  heads: number[];
  /** Base64 of `[H, T, T]` bytes for each layer: `255 √weight`, rounded. */
  maps: string[];
  /** Of heads; they repeat after the last. */
  colours: readonly string[];
}

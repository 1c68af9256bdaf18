/** What the script of a report reads from the page. */
export interface PageData {
  /** One for each group of layers that attend from the same tokens to the same tokens; its head view is drawn. */
  groups: {
    /** Empty where there is one group only. */
    title: string;
    /** `Tk` */
    keys: number;
    /** Layer by layer. */
    maps: {
      /** `H` */
      heads: number;
      /** Base64 of `[H, Tq, Tk]` bytes: `255 √weight`, rounded. */
      values: string;
    }[];
  }[];
  /** Of heads; they repeat after the last. */
  colours: readonly string[];
}

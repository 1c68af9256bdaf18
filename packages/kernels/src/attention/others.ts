/** How the lanes of a workgroup come to know something of each of some rows that none of them owns. */
export interface Others {
  /** WGSL of the number of row `i` among those that a lane meets at once. */
  index(i: number): string;
  /**
   * WGSL that declares `${name}_0`, `${name}_1` … with something of each of `count` rows.
   *
   * @param of WGSL of the n-th declaration, which is about the row of this number
   */
  declare(name: string, count: number, of: (index: string, n: number) => string): string;
  /** WGSL of what was declared of row `i`. */
  take(name: string, i: number): string;
}

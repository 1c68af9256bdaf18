/** Gives every lane of a workgroup the per-row values of one tile, for example the log-sum-exp of its queries. */
export interface RowBroadcast {
  /** WGSL (`u32`) of the offset of tile row `i` from `tile_start`. */
  index(i: number): string;
  /**
   * WGSL that declares `${name}_0`, `${name}_1` … with one value for each of `count` tile rows.
   *
   * @param of WGSL of the n-th declaration's value, for the tile row with this offset
   */
  declare(name: string, count: number, of: (index: string, n: number) => string): string;
  /** WGSL that reads the declared value of tile row `i`; uniform control flow where it is a subgroup operation. */
  read(name: string, i: number): string;
}

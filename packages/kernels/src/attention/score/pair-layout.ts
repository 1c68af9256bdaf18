import type { RowBroadcast } from '../row-broadcast.js';

/** How the pairs of a program are laid out: a lane holds rows of one axis and visits the rows of the other in tiles. */
export interface PairLayout {
  /** The axis of the lane's rows; the tile's rows are those of the other one. */
  laneAxis: 'q' | 'k';
  /** Rows per lane: components of `Rows`. */
  rows: number;
  /** Whether a lane's rows are neighbours, the first a multiple of four. */
  adjacent: boolean;
  broadcast: RowBroadcast;
  /** Rows of a tile. */
  count: number;
}

import { opposite, TileIntervals } from './intervals.js';
import { keyStop } from './key-stop.js';
import { rangePlaces } from './ranges.js';
import type { Score } from './score.js';

const rangeFunction = /* wgsl */ `
  fn table_range(start: i32, row: i32, last: i32, first: i32, end: i32) -> vec2i {
    let of_row = start + 2 * row * (last / ${rangePlaces} + 1);
    let stop = clamp(end, 0, last) / ${rangePlaces};
    var found = vec2i(2147483647, -2147483647);
    for (var n = clamp(first, 0, last) / ${rangePlaces}; n <= stop; n++) {
      let at = u32(of_row + 2 * n);
      found = vec2i(
        min(found.x, bitcast<i32>(tables[at])),
        max(found.y, bitcast<i32>(tables[at + 1u])),
      );
    }
    return found;
  }
`;

/**
 * WGSL functions that find fully masked keys and tiles from the mask's condition; positions are inclusive.
 *
 * - `key_stop(b, h, q0, q1) -> u32`: every key from this one on is masked for the queries `q0 … q1`
 * - `tile_hidden(b, h, q0, q1, k0, k1) -> bool`: every pair of the queries `q0 … q1` and keys `k0 … k1` is masked
 */
export function tileTest(score: Score): string {
  const stopping = new TileIntervals(score.graph);
  const stop = score.visible && keyStop(stopping, score.visible);
  const testing = new TileIntervals(score.graph);
  const { some } = score.visible ? testing.truth(score.visible) : { some: 'true' };
  const lines = testing.lines.join('\n');
  return /* wgsl */ `
    ${/table_range/.test(lines + stopping.lines.join()) ? rangeFunction : ''}
    fn key_stop(b: i32, h: i32, q0: i32, q1: i32) -> u32 {
      ${stop ? stopping.lines.join('\n') : ''}
      return ${stop ? `u32(clamp(${stop}, 0, i32(params.keys)))` : 'params.keys'};
    }
    fn tile_hidden(b: i32, h: i32, q0: i32, q1: i32, k0: i32, k1: i32) -> bool {
      ${some === 'true' ? '' : lines}
      return ${opposite(some)};
    }
  `;
}

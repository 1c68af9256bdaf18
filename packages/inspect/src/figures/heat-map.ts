import type { AttentionMap } from '../attention-maps.js';
import { checkTokens } from './check.js';
import { hex, viridis } from './colours.js';
import { colourScale } from './scale.js';
import { type Cell, cellsPath, element, figure, hint, label } from './svg.js';
import { shownToken, widestLabel } from './tokens.js';

export interface HeatMapOptions {
  /** The tokens of the keys. */
  tokens: readonly string[];
  /** The query tokens, where they come from another sequence; default the key tokens. */
  queryTokens?: readonly string[] | undefined;
  /** The side of a cell, in pixels; default 16. */
  side?: number | undefined;
}

const levels = 64;

/**
 * The attention of one head as a table of colours: queries from top to bottom, keys from left to right.
 *
 * @param map whose first head is shown
 * @returns an SVG
 * @throws InputError where there is not a token for each key and query
 */
export function heatMap(map: AttentionMap, options: HeatMapOptions): string {
  const { tokens, queryTokens = tokens, side = 16 } = options;
  checkTokens(map, tokens, queryTokens);
  const { rows, keys, values } = map;
  const left = widestLabel(rows.map((row) => queryTokens[row]!)) + 8;
  const top = widestLabel(tokens) + 8;
  const byLevel = new Map<number, Cell[]>();
  for (let row = 0; row < rows.length; row++) {
    for (let key = 0, end: number; key < keys; key = end) {
      const level = levelOf(values[row * keys + key]!);
      end = key + 1;
      while (end < keys && levelOf(values[row * keys + end]!) === level) end++;
      const cells = byLevel.get(level) ?? [];
      cells.push({
        x: left + key * side,
        y: top + row * side,
        width: (end - key) * side,
        height: side,
      });
      byLevel.set(level, cells);
    }
  }
  const paths = [...byLevel].map(([level, cells]) =>
    cellsPath(cells, { fill: hex(viridis(level / levels)) }),
  );
  const queries = rows.map((row, i) =>
    element(
      'g',
      {},
      hint(`query ${row}: ${JSON.stringify(queryTokens[row]!)}`),
      label(shownToken(queryTokens[row]!), {
        x: left - 6,
        y: top + i * side + side / 2 + 4,
        'text-anchor': 'end',
      }),
    ),
  );
  const above = tokens.map((token, key) =>
    element(
      'g',
      {},
      hint(`key ${key}: ${JSON.stringify(token)}`),
      label(shownToken(token), {
        transform: `translate(${left + key * side + side / 2 + 4} ${top - 6}) rotate(-90)`,
      }),
    ),
  );
  const bottom = top + rows.length * side;
  const width = left + Math.max(keys * side, 220);
  return figure(
    { width, height: bottom + 44, title: `Attention of ${map.layer}, head ${map.heads[0]}` },
    ...paths,
    ...queries,
    ...above,
    colourScale({ x: left, y: bottom + 10, from: '0', to: '1', note: 'root scale' }),
  );
}

/** Small weights are told apart better than large ones. */
function levelOf(weight: number): number {
  return Math.round(Math.sqrt(weight) * levels);
}

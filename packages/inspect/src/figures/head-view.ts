import type { AttentionMap } from '../attention-maps.js';
import { checkTokens } from './check.js';
import { headColour } from './colours.js';
import { element, figure, hint, label, short } from './svg.js';
import { shownToken, widestLabel } from './tokens.js';

export interface HeadViewOptions {
  /** The tokens of the keys. */
  tokens: readonly string[];
  /** The query tokens, where they come from another sequence; default the key tokens. */
  queryTokens?: readonly string[] | undefined;
  /** Only what this query attends to; default all queries. */
  row?: number | undefined;
  /** Weights below are not drawn; default 0.01. */
  least?: number | undefined;
}

const rowHeight = 20;
const gap = 180;

/**
 * Queries on the left, keys on the right, and a line from one to the other for each attention weight:
 * as opaque as the weight's root, so that small ones are seen. Each head of the map has its own colour.
 *
 * @returns an SVG
 * @throws InputError where there is not a token for each key and query
 * @see Vig 2019, https://arxiv.org/abs/1906.05714
 */
export function headView(map: AttentionMap, options: HeadViewOptions): string {
  const { tokens, queryTokens = tokens, row: only, least = 0.01 } = options;
  checkTokens(map, tokens, queryTokens);
  const left = widestLabel(queryTokens) + 16;
  const right = left + gap;
  const middle = (i: number) => 14 + i * rowHeight;
  const lines = linesOf(map, { only, least }).map(({ head, row, key, weight }) =>
    element('line', {
      x1: left,
      y1: middle(row),
      x2: right,
      y2: middle(key),
      stroke: headColour(head),
      'stroke-opacity': Math.sqrt(weight),
      'stroke-width': 1.5,
    }),
  );
  const column = (texts: readonly string[], x: number, anchor: string, side: string) =>
    texts.map((text, i) =>
      element(
        'g',
        { 'data-side': side, 'data-index': i, opacity: faded(side, i, only) },
        hint(`${i}: ${JSON.stringify(text)}`),
        label(shownToken(text), { x, y: middle(i) + 4, 'text-anchor': anchor }),
      ),
    );
  const heads = map.heads.length === 1 ? `head ${map.heads[0]}` : `${map.heads.length} heads`;
  return figure(
    {
      width: right + widestLabel(tokens) + 16,
      height: middle(Math.max(tokens.length, queryTokens.length)),
      title: `Attention of ${map.layer}, ${heads}, from queries on the left to keys on the right`,
    },
    element(
      'g',
      { class: 'lines', 'data-left': short(left), 'data-right': short(right) },
      ...lines,
    ),
    ...column(queryTokens, left - 6, 'end', 'query'),
    ...column(tokens, right + 6, 'start', 'key'),
  );
}

interface Line {
  head: number;
  row: number;
  key: number;
  weight: number;
}

function linesOf(
  { heads, rows, keys, values }: AttentionMap,
  { only, least }: { only: number | undefined; least: number },
): Line[] {
  const lines: Line[] = [];
  for (const [h, head] of heads.entries()) {
    for (const [r, row] of rows.entries()) {
      if (only !== undefined && row !== only) continue;
      const start = (h * rows.length + r) * keys;
      for (let key = 0; key < keys; key++) {
        const weight = values[start + key]!;
        if (weight >= least) lines.push({ head, row, key, weight });
      }
    }
  }
  return lines;
}

function faded(side: string, index: number, only: number | undefined): number | undefined {
  return side === 'query' && only !== undefined && index !== only ? 0.45 : undefined;
}

import { InputError } from '@headwise/core';
import type { AttentionMap } from '../attention-maps.js';
import { pooled } from './pool.js';
import { type Cell, cellsPath, element, figure, hint, label } from './svg.js';

export interface ModelViewOptions {
  /** The side of a head's picture, in pixels; default 48. */
  side?: number | undefined;
}

const gap = 6;
const margin = 56;
const levels = 6;

/**
 * The attention of all layers and heads at once, a small picture each: queries from top to bottom, keys
 * from left to right, the heavier the darker.
 *
 * @param maps one a layer
 * @returns an SVG, in which each picture is a group with `data-layer` and `data-head`
 * @throws InputError where no maps are given
 * @see Vig 2019, https://arxiv.org/abs/1906.05714
 */
export function modelView(maps: readonly AttentionMap[], options: ModelViewOptions = {}): string {
  if (maps.length === 0) throw new InputError('modelView: no maps are given');
  const { side = 48 } = options;
  const step = side + gap;
  const columns = Math.max(...maps.map(({ heads }) => heads.length));
  const pictures = maps.flatMap((map, layer) =>
    map.heads.map((head, h) =>
      element(
        'g',
        {
          class: 'head',
          'data-layer': layer,
          'data-head': h,
          transform: `translate(${margin + h * step} ${margin / 2 + layer * step})`,
        },
        hint(`${map.layer}, head ${head}`),
        element('rect', { width: side, height: side, rx: 3, 'fill-opacity': 0.07 }),
        ...picture(map, h, side),
      ),
    ),
  );
  const numbers = Array.from({ length: columns }, (_, h) =>
    label(String(h), {
      x: margin + h * step + side / 2,
      y: margin / 2 - 8,
      'text-anchor': 'middle',
    }),
  );
  const names = maps.map((_, layer) =>
    label(`L${layer}`, {
      x: margin - 10,
      y: margin / 2 + layer * step + side / 2 + 4,
      'text-anchor': 'end',
    }),
  );
  return figure(
    {
      width: margin + columns * step,
      height: margin / 2 + maps.length * step,
      title: `Attention of ${maps.length} layers with up to ${columns} heads`,
    },
    ...numbers,
    ...names,
    ...pictures,
  );
}

/** A path for each level of weight that occurs. */
function picture({ rows, keys, values }: AttentionMap, head: number, side: number): string[] {
  const size = rows.length * keys;
  const map = { values: values.subarray(head * size, (head + 1) * size), rows: rows.length, keys };
  // Two pixels a cell at least: more could not be seen.
  const small = pooled(map, side >> 1);
  const [width, height] = [side / small.keys, side / small.rows];
  const byLevel: Cell[][] = Array.from({ length: levels + 1 }, () => []);
  for (const [i, weight] of small.values.entries()) {
    const [row, key] = [Math.floor(i / small.keys), i % small.keys];
    byLevel[Math.ceil(weight * levels - 0.25)]?.push({
      x: key * width,
      y: row * height,
      width,
      height,
    });
  }
  return byLevel.flatMap((cells, level) =>
    level === 0 || cells.length === 0 ? [] : [cellsPath(cells, { 'fill-opacity': level / levels })],
  );
}

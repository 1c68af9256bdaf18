import { InputError } from '@headwise/core';
import type { AttentionMap } from '../attention-maps.js';
import { meanWeights } from '../patches.js';
import { checkList } from './check.js';
import { type Picture, pngAddress } from './png.js';
import { element, figure, hint, label } from './svg.js';
import { shownToken } from './tokens.js';

export interface PatchViewOptions {
  /** What the queries are, such as the words of a caption; one a query. */
  queryTokens: readonly string[];
  picture: Picture;
  /** Height and width of a patch, in pixels of the picture; each divides the picture's. */
  patch: readonly [height: number, width: number];
  /** The keys before the first patch's, as ViT's first vector; default those that are left over. */
  before?: number | undefined;
  /** The longer side of each picture, in pixels; default 96. */
  side?: number | undefined;
  /** Pictures in a row; default 8. */
  columns?: number | undefined;
}

const [gap, caption] = [12, 36];

/**
 * Where each query looks in a picture: the picture once for each, its patches as bright as their weights, by the root of the share of the
 * largest. Below it stand the query and how much of its attention lies on patches. The heads of the map are averaged.
 *
 * @param map of keys that are the patches of a picture, from left to right, then from the top down
 * @returns an SVG, in which each picture is a group with `data-query`
 * @throws InputError where the keys are not the patches, or there is not a token for each query
 */
export function patchView(map: AttentionMap, options: PatchViewOptions): string {
  const { queryTokens, picture, patch, side = 96, columns: most = 8 } = options;
  const { rows: queries } = map;
  const [rows, columns] = gridOf(map, options);
  checkList('queryTokens', queryTokens);
  const missing = queries.find((query) => query >= queryTokens.length);
  if (missing !== undefined) {
    throw new InputError(
      `'${map.layer}' has a query ${missing}; got ${queryTokens.length} query tokens`,
    );
  }
  const scale = side / Math.max(picture.height, picture.width);
  const [height, width] = [picture.height * scale, picture.width * scale];
  const [down, across] = [patch[0] * scale, patch[1] * scale];
  const before = map.keys - rows * columns;
  const href = pngAddress(picture);
  const id = nameOf(href, side);
  const views = queries.map((query, q) => {
    const weights = meanWeights(map, query).subarray(before);
    const largest = Math.max(...weights, Number.MIN_VALUE);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const veils = Array.from(weights, (weight, key) =>
      element(
        'rect',
        {
          x: (key % columns) * across,
          y: Math.floor(key / columns) * down,
          width: across,
          height: down,
          'fill-opacity': 0.85 * (1 - Math.sqrt(weight / largest)),
        },
        hint(`patch ${Math.floor(key / columns)}, ${key % columns}: ${percent(weight)}`),
      ),
    );
    const [x, y] = [(q % most) * (width + gap), Math.floor(q / most) * (height + caption + gap)];
    const middle = { x: width / 2, 'text-anchor': 'middle' };
    return element(
      'g',
      { class: 'patches', 'data-query': query, transform: `translate(${x} ${y})` },
      element('use', { href: `#${id}` }),
      // Said once: there are many of them.
      element('g', { fill: '#000000', 'shape-rendering': 'crispEdges' }, ...veils),
      element('rect', {
        width,
        height,
        fill: 'none',
        stroke: 'currentColor',
        'stroke-opacity': 0.25,
      }),
      element(
        'g',
        {},
        hint(`query ${query}: ${JSON.stringify(queryTokens[query]!)}`),
        label(shownToken(queryTokens[query]!, Math.max(4, Math.floor(width / 7.3))), {
          ...{ ...middle, y: height + 15, 'font-weight': 'bold' },
        }),
      ),
      label(percent(total), { ...middle, y: height + 30, 'fill-opacity': 0.7 }),
    );
  });
  const lines = Math.ceil(queries.length / most);
  const image = {
    ...{ id, width, height, href, preserveAspectRatio: 'none' },
    'image-rendering': 'pixelated',
  };
  return figure(
    {
      width: Math.min(queries.length, most) * (width + gap) - gap,
      height: lines * (height + caption + gap) - gap,
      title: `Where ${queries.length} queries of ${map.layer} look in a picture`,
    },
    element('defs', {}, element('image', image)),
    ...views,
  );
}

/** An address of its own for each image, the same for the same image. */
function nameOf(address: string, side: number): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < address.length; i++) {
    hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193) >>> 0;
  }
  return `picture-${hash.toString(16)}-${side}`;
}

/** The rows and columns of patches. */
function gridOf(
  { layer, keys }: AttentionMap,
  { picture, patch, before }: PatchViewOptions,
): [rows: number, columns: number] {
  const { height, width, channels, values } = picture;
  const grid: [number, number] = [height / patch[0], width / patch[1]];
  if (!grid.every((n) => Number.isInteger(n) && n > 0)) {
    throw new InputError(
      `patchView: patches of ${patch.join(' by ')} do not divide a picture of ${height} by ${width}`,
    );
  }
  if ((channels !== 1 && channels !== 3) || values.length !== height * width * channels) {
    throw new InputError(
      `patchView: the picture has ${values.length} values and ${channels} channels; expected ${height} by ${width} by 1 or 3`,
    );
  }
  const count = grid[0] * grid[1];
  const left = keys - count;
  if (left >= 0 && (before === undefined || before === left)) return grid;
  throw new InputError(
    `'${layer}' has ${keys} keys; the picture has ${count} patches${before ? ` behind ${before} others` : ''}`,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

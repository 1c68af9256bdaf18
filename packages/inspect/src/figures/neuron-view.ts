import { InputError } from '@headwise/core';
import type { Neurons } from '../neurons.js';
import { checkList } from './check.js';
import { signColours } from './colours.js';
import { type Cell, cellsPath, element, figure, hint, label, short } from './svg.js';
import { shownToken, widestLabel } from './tokens.js';

export interface NeuronViewOptions {
  /** The tokens of the keys. */
  tokens: readonly string[];
  /** The token of the query. */
  query: string;
}

const rowHeight = 20;
const bar = 14;
const gap = 24;
const levels = 8;

/**
 * Why a query attends where it does: the query, each key and their products as strips with a bar a dimension,
 * and the weight that comes of them. Blue is above zero, orange below; the stronger, the darker.
 *
 * @returns an SVG
 * @throws InputError where there is not a token for each key
 * @see Vig 2019, https://arxiv.org/abs/1906.05714
 */
export function neuronView(
  { query, keys, products, weights }: Neurons,
  { tokens, query: queryToken }: NeuronViewOptions,
): string {
  checkList('tokens', tokens);
  if (tokens.length !== weights.length) {
    throw new InputError(`neuronView: ${weights.length} keys; got ${tokens.length} tokens`);
  }
  const dims = query.length;
  const unit = Math.max(2, Math.min(8, Math.floor(256 / dims)));
  const strip = dims * unit;
  const left = widestLabel([queryToken, ...tokens]) + 16;
  const [keysAt, productsAt] = [left, left + strip + gap];
  const weightsAt = productsAt + strip + gap;
  const top = 24;
  const rowAt = (i: number) => top + (i + 2) * rowHeight;
  const bars = [
    ...barsOf(query, { dims, unit, x: keysAt, y: () => top }),
    ...barsOf(keys, { dims, unit, x: keysAt, y: rowAt }),
    ...barsOf(products, { dims, unit, x: productsAt, y: rowAt }),
  ];
  const rows = tokens.map((token, i) =>
    element(
      'g',
      { 'data-key': i },
      hint(`${i}: ${JSON.stringify(token)}, weight ${short(weights[i]!)}`),
      label(shownToken(token), { x: left - 8, y: rowAt(i) + 11, 'text-anchor': 'end' }),
      element('rect', { x: weightsAt, y: rowAt(i), width: 100 * weights[i]!, height: bar }),
      label(weights[i]!.toFixed(2), { x: weightsAt + 100 * weights[i]! + 6, y: rowAt(i) + 11 }),
    ),
  );
  const heading = (text: string, x: number, y: number) =>
    label(text, { x, y, 'font-weight': 'bold' });
  return figure(
    {
      width: weightsAt + 150,
      height: rowAt(tokens.length),
      title: `Query ${shownToken(queryToken)} against ${tokens.length} keys in ${dims} dimensions`,
    },
    label(shownToken(queryToken), { x: left - 8, y: top + 11, 'text-anchor': 'end' }),
    heading('query', keysAt, 14),
    heading('keys', keysAt, top + 2 * rowHeight - 7),
    heading('products', productsAt, top + 2 * rowHeight - 7),
    heading('weight', weightsAt, top + 2 * rowHeight - 7),
    ...bars,
    ...rows,
  );
}

interface Strip {
  dims: number;
  unit: number;
  x: number;
  y: (row: number) => number;
}

/** A path for each sign and strength; strengths are relative to the largest of the values. */
function barsOf(values: Float32Array, { dims, unit, x, y }: Strip): string[] {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const groups = new Map<number, Cell[]>();
  for (const [i, value] of values.entries()) {
    const level = Math.round((value / largest) * levels);
    if (level === 0) continue;
    const cells = groups.get(level) ?? [];
    cells.push({
      x: x + (i % dims) * unit,
      y: y(Math.floor(i / dims)),
      width: unit,
      height: bar,
    });
    groups.set(level, cells);
  }
  return [...groups].map(([level, cells]) =>
    cellsPath(cells, {
      fill: level > 0 ? signColours.above : signColours.below,
      'fill-opacity': Math.abs(level) / levels,
    }),
  );
}

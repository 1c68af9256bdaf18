import { InputError } from '@headwise/core';
import type { HeadScores } from '../scores.js';
import { hex, inkOn, viridis } from './colours.js';
import { colourScale } from './scale.js';
import { element, figure, hint, label } from './svg.js';

/** A score of heads that a grid can show. */
export type HeadScoreName = 'entropy' | 'distance' | 'previousToken' | 'induction';

const titles: Readonly<Record<HeadScoreName, string>> = {
  entropy: 'Entropy, nats',
  distance: 'Mean distance, tokens',
  previousToken: 'Weight on the token before',
  induction: 'Induction score',
};

const [width, height, gap, margin] = [44, 26, 2, 44];

/**
 * One score of every head, as a table of colours: a row for each layer, a column for each head.
 *
 * @param scores layer by layer
 * @returns an SVG
 * @throws InputError where there are no scores
 */
export function headGrid(scores: readonly HeadScores[], name: HeadScoreName): string {
  if (scores.length === 0) throw new InputError('headGrid: no scores are given');
  const layers = [...new Set(scores.map(({ layer }) => layer))];
  // Weights are parts of 1; what has no such bound is shown against the largest.
  const bounded = name === 'previousToken' || name === 'induction';
  const most = bounded ? 1 : Math.max(...scores.map((score) => score[name]), Number.MIN_VALUE);
  const [top, left] = [44, margin];
  const rows = layers.map((layer) => scores.filter((score) => score.layer === layer));
  const columns = Math.max(...rows.map((row) => row.length));
  const cells = rows.flatMap((row, l) =>
    row.map((score, h) => {
      const value = score[name];
      const colour = viridis(value / most);
      const [x, y] = [left + h * (width + gap), top + l * (height + gap)];
      return element(
        'g',
        { 'data-layer': l, 'data-head': h },
        hint(`${score.layer}, head ${score.head}: ${value.toFixed(3)}`),
        element('rect', { x, y, width, height, rx: 3, fill: hex(colour) }),
        label(value.toFixed(2), {
          x: x + width / 2,
          y: y + height / 2 + 4,
          'text-anchor': 'middle',
          fill: inkOn(colour),
        }),
      );
    }),
  );
  const numbers = Array.from({ length: columns }, (_, h) =>
    label(String(h), {
      x: left + h * (width + gap) + width / 2,
      y: top - 8,
      'text-anchor': 'middle',
    }),
  );
  const names = rows.map((_, l) =>
    label(`L${l}`, {
      x: left - 10,
      y: top + l * (height + gap) + height / 2 + 4,
      'text-anchor': 'end',
    }),
  );
  const bottom = top + rows.length * (height + gap);
  return figure(
    {
      width: left + Math.max(columns * (width + gap), 200),
      height: bottom + 44,
      title: `${titles[name]}, of ${rows.length} layers with up to ${columns} heads`,
    },
    label(titles[name], { x: left, y: 14, 'font-weight': 'bold' }),
    ...numbers,
    ...names,
    ...cells,
    colourScale({ x: left, y: bottom + 10, from: '0', to: bounded ? '1' : most.toFixed(2) }),
  );
}
